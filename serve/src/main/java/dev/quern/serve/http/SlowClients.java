package dev.quern.serve.http;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.ConnectionMetaData;
import org.eclipse.jetty.util.component.AbstractLifeCycle;

/// Closes connections on which a request's head does not come within the idle timeout. The timeout
/// itself begins anew with each byte, so that a byte a second would hold a connection for hours.
final class SlowClients extends AbstractLifeCycle implements Connection.Listener {
  private static final Duration PERIOD = Duration.ofMillis(500);

  private final long patience; // ns
  private final Map<Connection, Long> since = new ConcurrentHashMap<>(); // System.nanoTime()
  private Thread sweeper; // of the life cycle's

  SlowClients(Duration patience) {
    this.patience = patience.toNanos();
  }

  @Override
  public void onOpened(Connection connection) {
    if (connection instanceof ConnectionMetaData) { // HTTP's, and not TLS's below
      since.put(connection, System.nanoTime());
    }
  }

  @Override
  public void onClosed(Connection connection) {
    since.remove(connection);
  }

  /// A request's head is there.
  void began(Connection connection) {
    since.remove(connection);
  }

  /// It is answered, and the next may come.
  void ended(Connection connection) {
    since.put(connection, System.nanoTime());
  }

  @Override
  protected void doStart() {
    sweeper = Thread.ofVirtual().name("quern-slow-clients").start(this::sweep);
  }

  @Override
  protected void doStop() {
    sweeper.interrupt();
  }

  private void sweep() {
    try {
      while (true) {
        Thread.sleep(PERIOD);
        long now = System.nanoTime();
        since.forEach((connection, start) -> {
          if (now - start > patience && since.remove(connection, start)) {
            connection.getEndPoint().close();
          }
        });
      }
    } catch (InterruptedException _) { // the server ends
      Thread.currentThread().interrupt();
    }
  }
}
