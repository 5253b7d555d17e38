package dev.quern.serve.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;

/// Notices that a client leaves while it waits for an answer. Jetty reads nothing from a connection
/// of HTTP/1.1 between a request and its answer, so that nobody would hear of its end before a
/// write fails. This reads: the end is the client's leaving; bytes are its next request, which the
/// connection gets back, and end the watch, since no more than those can be kept.
///
/// A client that shuts its output alone down counts as gone, as it does for most servers.
final class ClientWatch implements Callback {
  private static final Throwable STOPPED = new Throwable("stopped", null, false, false) {};
  private static final int READ = 1024;

  private final AbstractEndPoint endPoint;
  private final Connection.UpgradeTo connection;
  private final Runnable gone;
  private boolean watching = true; // guarded by this

  private ClientWatch(AbstractEndPoint endPoint, Connection.UpgradeTo connection, Runnable gone) {
    this.endPoint = endPoint;
    this.connection = connection;
    this.gone = gone;
  }

  /// @param connection whose request was read to its end
  /// @param gone called at most once, on any thread
  static ClientWatch start(Connection connection, Runnable gone) {
    if (connection.getEndPoint() instanceof AbstractEndPoint endPoint
        && connection instanceof Connection.UpgradeTo upgrade) {
      ClientWatch watch = new ClientWatch(endPoint, upgrade, gone);
      watch.listen();
      return watch;
    }
    throw new IllegalStateException("a connection of another kind: " + connection);
  }

  private synchronized void listen() {
    if (watching && !endPoint.tryFillInterested(this)) {
      throw new IllegalStateException("somebody reads from the connection: " + connection);
    }
  }

  @Override
  public void succeeded() {
    if (isGone()) {
      gone.run();
    }
  }

  private synchronized boolean isGone() {
    if (!watching) {
      return false;
    }
    ByteBuffer read = BufferUtil.allocate(READ);
    try {
      int bytes = endPoint.fill(read);
      if (bytes == 0) {
        listen();
        return false;
      }
      watching = false;
      if (bytes > 0) {
        connection.onUpgradeTo(read);
      }
      return bytes < 0;
    } catch (IOException _) { // a connection that was reset: there is nobody to tell
      watching = false;
      return true;
    }
  }

  @Override
  public void failed(Throwable cause) {
    if (isLost(cause)) {
      gone.run();
    }
  }

  private synchronized boolean isLost(Throwable cause) {
    if (!watching || cause == STOPPED) {
      return false;
    }
    if (cause instanceof TimeoutException) { // it waits, and that may take long
      listen();
      return false;
    }
    watching = false;
    return true;
  }

  /// Ends the watch. The connection may be read from behind this.
  synchronized void stop() {
    if (watching) {
      watching = false;
      endPoint.getFillInterest().onFail(STOPPED);
    }
  }
}
