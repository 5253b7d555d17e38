package dev.quern.serve.http;

import dev.quern.llama.text.Printable;
import dev.quern.serve.options.HttpOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/// Finds the route of a request, asks who sends it, calls the endpoint, and tells the client what
/// went wrong.
final class Router extends Handler.Abstract {
  private static final Logger LOG = System.getLogger("dev.quern.serve");
  private static final String BEARER = "Bearer ";

  private final List<Route> routes;
  private final HttpOptions options;
  private final FailureLog failures;
  private final RequestMeter meter;
  private final SlowClients slow;
  private final SecureRandom random = new SecureRandom();
  private final Set<Exchange> active = ConcurrentHashMap.newKeySet();
  private volatile boolean ending;

  Router(
      List<Route> routes,
      HttpOptions options,
      Failures failures,
      RequestMeter meter,
      SlowClients slow) {
    this.slow = slow;
    this.routes = routes;
    this.options = options;
    this.failures = new FailureLog(failures);
    this.meter = meter;
  }

  /// From now on new requests are refused, but for those of open routes.
  void refuse() {
    ending = true;
  }

  /// Requests that have no answer yet.
  int active() {
    return active.size();
  }

  /// Ends all that have no answer yet.
  void endAll(HttpFailure reason) {
    active.forEach(exchange -> exchange.end(reason));
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    String id = HexFormat.of().toHexDigits(random.nextLong());
    response.getHeaders().put("X-Request-Id", id);
    if (ending) {
      response.getHeaders().put("Connection", "close");
    }
    String path = Request.getPathInContext(request);
    Optional<Route> found =
        routes.stream()
            .filter(r -> r.method().equals(request.getMethod()) && r.matches(path))
            .findFirst();
    Route route = found.orElseGet(() -> refusing(request.getMethod(), path));
    // Generation takes its time: not the connection's stillness but the deadline ends it.
    request.addIdleTimeoutListener(_ -> false);
    Exchange exchange = new Exchange(request, response, options, route, failures, id);
    active.add(exchange);
    Connection connection = request.getConnectionMetaData().getConnection();
    slow.began(connection);
    try {
      answer(exchange, request, route);
      exchange.finish();
      slow.ended(connection);
      callback.succeeded();
      if (ending) { // its header said otherwise, if it was sent before
        connection.getEndPoint().close();
      }
    } catch (Throwable t) { // reported: nothing may be left that hangs
      exchange.finish();
      lost(exchange, t);
      callback.failed(t);
    } finally {
      active.remove(exchange);
      meter.answered(found.map(Route::path).orElse("none"), exchange.status(), exchange.age());
      options.requestLog().ifPresent(log -> log.accept(line(exchange)));
    }
    return true;
  }

  private void answer(Exchange exchange, Request request, Route route) throws IOException {
    try {
      HostCheck.check(request, options);
      if (!route.open()) {
        requireKey(exchange);
        requireRunning();
      }
      route.endpoint().answer(exchange);
    } catch (Throwable t) { // becomes an answer, if one can still be given
      if (exchange.isCommitted()) {
        throw sneaky(t);
      }
      exchange.send(failures.logged(exchange, t));
    }
  }

  private static IOException sneaky(Throwable t) {
    return switch (t) {
      case Error e -> throw e;
      case RuntimeException e -> throw e;
      case IOException e -> e;
      default -> new IOException(t);
    };
  }

  /// A client that leaves is no defect.
  private static void lost(Exchange exchange, Throwable t) {
    boolean gone = t instanceof IOException || t instanceof UncheckedIOException;
    LOG.log(
        gone ? Level.DEBUG : Level.ERROR,
        "request " + exchange.id() + (gone ? ": the client is gone" : " failed in its answer"),
        t);
  }

  private void requireKey(Exchange exchange) {
    if (options.keys().isEmpty()) {
      return;
    }
    String given = exchange.header("Authorization").orElse("");
    boolean bearer = given.regionMatches(true, 0, BEARER, 0, BEARER.length());
    if (!bearer || !options.keys().get().accepts(given.substring(BEARER.length()).strip())) {
      throw HttpFailure.of(
              401,
              "invalid_api_key",
              given.isEmpty()
                  ? "Authorization: missing, expected Bearer and a key of the server's file"
                  : "Authorization: not a key of the server's file, expected Bearer and one")
          .with("WWW-Authenticate", "Bearer");
    }
  }

  private void requireRunning() {
    if (ending) {
      throw stopping();
    }
  }

  static HttpFailure stopping() {
    return HttpFailure.of(
            503, "server_stopping", "the server is shutting down; ask again when it runs")
        .with("Connection", "close");
  }

  /// For what is on no row of the table.
  private Route refusing(String method, String path) {
    String allowed =
        routes.stream()
            .filter(r -> r.matches(path))
            .map(Route::method)
            .distinct()
            .collect(Collectors.joining(", "));
    Endpoint refuse =
        _ -> {
          if (allowed.isEmpty()) {
            throw HttpFailure.of(
                404,
                "unknown_url",
                String.format(
                    Locale.ROOT,
                    "%s %s: no such endpoint; docs/serve.md has those that there are",
                    method,
                    Printable.quoted(path)));
          }
          throw HttpFailure.of(
                  405,
                  "method_not_allowed",
                  String.format(
                      Locale.ROOT, "%s %s: expected %s", method, Printable.quoted(path), allowed))
              .with("Allow", allowed);
        };
    return new Route(method, path, refuse, errorsOf(path), false);
  }

  /// Those of the routes whose paths begin as this one, so that each protocol's clients understand
  /// them.
  private ErrorStyle errorsOf(String path) {
    return routes.stream()
        .filter(route -> first(route.path()).equals(first(path)))
        .map(Route::errors)
        .findFirst()
        .orElse(ErrorStyle.OPENAI);
  }

  private static String first(String path) {
    int end = path.indexOf('/', 1);
    return end < 0 ? path : path.substring(0, end);
  }

  private static String line(Exchange exchange) {
    return String.format(
        Locale.ROOT,
        "%s %s %s %d %d ms",
        exchange.id(),
        exchange.method(),
        Printable.escaped(Printable.cut(exchange.path(), 200)),
        exchange.status(),
        exchange.age().toMillis());
  }
}
