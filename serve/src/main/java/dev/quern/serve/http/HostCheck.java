package dev.quern.serve.http;

import dev.quern.llama.text.Printable;
import dev.quern.serve.options.HttpOptions;
import java.util.Locale;
import java.util.Set;
import org.eclipse.jetty.server.Request;

/// A page of the web can make its own name resolve to 127.0.0.1 (DNS rebinding), and would then
/// read what a server on loopback answers. Such a request has the page's name in `Host`.
final class HostCheck {
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]", "::1");

  private HostCheck() {}

  /// @throws HttpFailure 403 where the name is a stranger's
  static void check(Request request, HttpOptions options) {
    if (options.keys().isPresent() || !options.isLoopback()) {
      return;
    }
    String name = Request.getServerName(request);
    if (name == null
        || !LOOPBACK.contains(name.toLowerCase(Locale.ROOT))
            && !name.equalsIgnoreCase(options.host())) {
      throw HttpFailure.of(
          403,
          "host_not_allowed",
          String.format(
              Locale.ROOT,
              "Host: %s, expected localhost, 127.0.0.1 or [::1]; for other names start the server with --api-keys, or with --host",
              name == null ? "absent" : Printable.quoted(name)));
    }
  }
}
