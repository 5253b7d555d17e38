package dev.quern.serve.model;

import dev.quern.llama.LoadOptions;
import dev.quern.llama.LoadProgress;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.options.ServedModel;
import java.util.HashMap;
import java.util.Map;

/// Models that are being loaded since clients wait for them. A load ends when all of these have
/// left.
final class AwaitedLoads {
  private static final class Load {
    private int clients; // guarded by the map
    private volatile boolean abandoned;
  }

  private final Map<String, Load> loads = new HashMap<>(); // guarded by itself

  /// A client begins to wait. Whoever comes behind the last one's leaving waits for a load anew.
  Place join(ServedModel served) {
    synchronized (loads) {
      Load load = loads.computeIfAbsent(served.name(), _ -> new Load());
      load.clients++;
      return new Place(served.name(), load);
    }
  }

  /// A client's.
  final class Place {
    private final String name;
    private final Load load;
    private boolean left; // guarded by the map

    private Place(String name, Load load) {
      this.name = name;
      this.load = load;
    }

    /// It waits no more; the second time means nothing.
    void leave() {
      synchronized (loads) {
        if (!left) {
          left = true;
          load.clients--;
          if (load.clients == 0) {
            load.abandoned = true;
            loads.remove(name, load);
          }
        }
      }
    }

    /// Loading that ends, behind a tensor, when nobody waits for it.
    LoadOptions watched(LoadOptions loading) {
      LoadProgress progress = loading.progress();
      return loading.withProgress((packed, total) -> {
        progress.packed(packed, total);
        if (load.abandoned) {
          throw HttpFailure.of(
              499, "client_closed_request", "the clients that waited for the model have left");
        }
      });
    }
  }
}
