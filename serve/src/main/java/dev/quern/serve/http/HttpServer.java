package dev.quern.serve.http;

import dev.quern.serve.options.HttpOptions;
import dev.quern.serve.options.ServeException;
import dev.quern.serve.options.Tls;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.CrossOriginHandler;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.VirtualThreadPool;

/// Jetty, set up for endpoints that wait for a model: a virtual thread for each request, HTTP/1.1,
/// and bounds on all that a client can hold.
public final class HttpServer implements AutoCloseable {
  private final HttpOptions options;
  private final Server server;
  private final ServerConnector connector;
  private final Router router;
  private URI address; // set by start

  private HttpServer(HttpOptions options, Server server, ServerConnector connector, Router router) {
    this.options = options;
    this.server = server;
    this.connector = connector;
    this.router = router;
  }

  /// Listens.
  ///
  /// @throws ServeException if it can't, such as where the port is taken
  public static HttpServer start(
      HttpOptions options, List<Route> routes, Failures failures, RequestMeter meter) {
    VirtualThreadPool threads = new VirtualThreadPool();
    threads.setName("quern-serve");
    Server server = new Server(threads);
    server.setErrorHandler(new JettyErrors());
    SlowClients slow = new SlowClients(options.idleTimeout());
    Router router = new Router(routes, options, failures, meter, slow);
    server.setHandler(crossOrigin(options, router));
    ServerConnector connector = connector(server, options);
    connector.addBean(slow);
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(options.maxConnections(), connector));
    HttpServer started = new HttpServer(options, server, connector, router);
    try {
      server.start();
      started.address = started.listening();
    } catch (IOException e) {
      started.close();
      throw new ServeException(
          String.format(
              Locale.ROOT,
              "serve: can't listen on %s:%d: %s; expected an address of this machine and a free port, name others with --host and --port",
              options.host(),
              options.port(),
              e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    } catch (Exception e) { // of a life cycle, which may throw any
      started.close();
      throw new ServeException("serve: the HTTP server does not start: " + e, e);
    }
    return started;
  }

  private static ServerConnector connector(Server server, HttpOptions options) {
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setSendDateHeader(true);
    http.setIdleTimeout(options.idleTimeout().toMillis());
    HttpConnectionFactory plain = new HttpConnectionFactory(http);
    ServerConnector connector =
        options
            .tls()
            .map(tls -> {
              SslContextFactory.Server ssl = new SslContextFactory.Server();
              ssl.setKeyStore(tls.keyStore());
              ssl.setKeyStorePassword(Tls.PASSWORD);
              return new ServerConnector(
                  server, 1, 1, new SslConnectionFactory(ssl, "http/1.1"), plain);
            })
            .orElseGet(() -> new ServerConnector(server, 1, 1, plain));
    connector.setHost(options.host());
    connector.setPort(options.port());
    connector.setIdleTimeout(options.idleTimeout().toMillis());
    return connector;
  }

  private static Handler crossOrigin(HttpOptions options, Router router) {
    if (options.origins().isEmpty()) {
      return router;
    }
    CrossOriginHandler cors = new CrossOriginHandler();
    cors.setAllowedOriginPatterns(
        options.origins().stream().map(Pattern::quote).collect(Collectors.toSet()));
    cors.setAllowedMethods(Set.of("GET", "POST"));
    cors.setAllowedHeaders(Set.of("Authorization", "Content-Type", "X-Quern-Report"));
    cors.setExposedHeaders(Set.of("X-Request-Id", "Quern-Providers"));
    cors.setHandler(router);
    return cors;
  }

  /// Where it listens, or did.
  public URI address() {
    return address;
  }

  private URI listening() {
    String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
    return URI.create(
        String.format(
            Locale.ROOT,
            "%s://%s:%d",
            options.tls().isPresent() ? "https" : "http",
            host,
            connector.getLocalPort()));
  }

  /// Takes no more connections, refuses new requests, and lets those that run come to their end;
  /// those that have not after a while are ended.
  public void drain(Duration patience) {
    router.refuse();
    connector.close();
    long end = System.nanoTime() + patience.toNanos();
    await(end);
    router.endAll(Router.stopping());
    await(System.nanoTime() + Duration.ofSeconds(5).toNanos()); // they write their last words
  }

  private void await(long end) {
    try {
      while (router.active() > 0 && System.nanoTime() - end < 0) {
        Thread.sleep(10);
      }
    } catch (InterruptedException _) { // whoever waits for the end wants it now
      Thread.currentThread().interrupt();
    }
  }

  /// Ends at once.
  @Override
  public void close() {
    router.refuse();
    router.endAll(Router.stopping());
    try {
      server.setStopTimeout(0);
      server.stop();
    } catch (Exception e) { // of a life cycle, which may throw any
      throw new IllegalStateException("the HTTP server does not stop", e);
    }
  }
}
