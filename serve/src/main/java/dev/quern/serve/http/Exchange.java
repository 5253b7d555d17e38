package dev.quern.serve.http;

import dev.quern.llama.text.Printable;
import dev.quern.serve.options.HttpOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;

/// A request, and its answer.
public final class Exchange {
  private static final int PART = 8192; // bytes read at once

  private final Request request;
  private final Response response;
  private final HttpOptions options;
  private final Route route;
  private final FailureLog failures;
  private final String id;
  private final List<Runnable> hooks = new ArrayList<>(); // guarded by itself
  private HttpFailure ended; // guarded by hooks
  private ClientWatch watch; // guarded by hooks

  Exchange(
      Request request,
      Response response,
      HttpOptions options,
      Route route,
      FailureLog failures,
      String id) {
    this.request = request;
    this.response = response;
    this.options = options;
    this.route = route;
    this.failures = failures;
    this.id = id;
  }

  /// The request's id, which is in the response's header `X-Request-Id` and in the log.
  public String id() {
    return id;
  }

  /// What stands in the path for the star of the route's.
  public String rest() {
    return Request.getPathInContext(request).substring(route.prefix().length());
  }

  public Optional<String> header(String name) {
    return Optional.ofNullable(request.getHeaders().get(name));
  }

  /// Sets a header of the response, before anything of it is sent.
  public void setHeader(String name, String value) {
    response.getHeaders().put(name, value);
  }

  /// The JSON object that the body is.
  ///
  /// @throws HttpFailure 400, 408, 413 or 415 where it is none
  public JsonFields json() throws IOException {
    String type = header("Content-Type").orElse("").split(";", 2)[0].strip();
    if (!type.equalsIgnoreCase("application/json")) {
      throw HttpFailure.of(
          415,
          "unsupported_media_type",
          "Content-Type: "
              + (type.isEmpty() ? "absent" : Printable.quoted(type))
              + ", expected application/json");
    }
    if (header("Content-Encoding").isPresent()) {
      throw HttpFailure.of(
          415, "unsupported_media_type", "Content-Encoding: expected none, a body as it is");
    }
    return new JsonFields("", Json.object(body()));
  }

  private byte[] body() throws IOException {
    if (request.getLength() > options.maxBody()) {
      throw tooLarge();
    }
    long end = System.nanoTime() + options.idleTimeout().toNanos();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    byte[] part = new byte[PART];
    try (InputStream in = Request.asInputStream(request)) {
      for (int read = in.read(part); read >= 0; read = in.read(part)) {
        body.write(part, 0, read);
        if (body.size() > options.maxBody()) {
          throw tooLarge();
        }
        if (System.nanoTime() - end > 0) {
          throw tooSlow(null);
        }
      }
    } catch (IOException e) {
      if (e.getCause() instanceof TimeoutException) {
        throw tooSlow(e);
      }
      throw HttpFailure.of(400, "incomplete_body", "body: not whole, expected all of it")
          .because(e);
    } catch (HttpException.RuntimeException e) { // chunks that are none
      throw HttpFailure.of(400, "invalid_body", "body: " + e.getReason()).because(e);
    }
    return body.toByteArray();
  }

  private HttpFailure tooLarge() {
    return HttpFailure.of(
            413,
            "request_too_large",
            String.format(
                Locale.ROOT, "body: more than %d bytes, expected fewer", options.maxBody()))
        .with("Connection", "close");
  }

  private HttpFailure tooSlow(Throwable cause) {
    return HttpFailure.of(
            408,
            "request_timeout",
            String.format(
                Locale.ROOT,
                "body: not whole after %d s, expected it sooner",
                options.idleTimeout().toSeconds()))
        .with("Connection", "close")
        .because(cause);
  }

  /// Says what is to happen if nobody waits for the answer any more: the client left, or the server
  /// ends. The body must have been read.
  ///
  /// @param hook called at most once, on any thread; at once where it has happened
  public void onEnd(Runnable hook) {
    synchronized (hooks) {
      if (ended == null) {
        hooks.add(hook);
        if (watch == null) {
          watch = ClientWatch.start(request.getConnectionMetaData().getConnection(), this::left);
        }
        return;
      }
    }
    hook.run();
  }

  private void left() {
    end(HttpFailure.of(499, "client_closed_request", "the client closed the connection"));
  }

  /// Why nobody waits any more, if so.
  public Optional<HttpFailure> ended() {
    synchronized (hooks) {
      return Optional.ofNullable(ended);
    }
  }

  void end(HttpFailure reason) {
    List<Runnable> run;
    synchronized (hooks) {
      if (ended != null) {
        return;
      }
      ended = reason;
      run = List.copyOf(hooks);
    }
    run.forEach(Runnable::run);
  }

  /// The answer is whole.
  void finish() {
    ClientWatch last;
    synchronized (hooks) {
      last = watch;
      ended = ended == null ? HttpFailure.of(500, "finished", "the answer was given") : ended;
    }
    if (last != null) {
      last.stop();
    }
  }

  public boolean isCommitted() {
    return response.isCommitted();
  }

  /// Answers with JSON.
  ///
  /// @param value as [Json#bytes] takes it
  public void send(int status, Object value) throws IOException {
    send(status, "application/json", Json.bytes(value));
  }

  /// Answers with a text.
  public void sendText(String contentType, String text) throws IOException {
    send(200, contentType, text.getBytes(StandardCharsets.UTF_8));
  }

  public void send(int status, String contentType, byte[] body) throws IOException {
    response.setStatus(status);
    setHeader("Content-Type", contentType);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    Content.Sink.write(response, true, ByteBuffer.wrap(body));
  }

  /// Answers with a status that has no body, such as 304.
  public void sendEmpty(int status) throws IOException {
    response.setStatus(status);
    Content.Sink.write(response, true, ByteBuffer.allocate(0));
  }

  /// Answers with an error, in the route's protocol.
  void send(HttpFailure failure) throws IOException {
    failure.headers().forEach(this::setHeader);
    send(failure.status(), route.errors().body(failure));
  }

  /// Begins an answer that comes in parts. Nothing is sent before its first part.
  public ResponseStream stream(String contentType) {
    response.setStatus(200);
    setHeader("Content-Type", contentType);
    setHeader("Cache-Control", "no-cache");
    setHeader("X-Accel-Buffering", "no"); // nginx holds events back otherwise
    return new ResponseStream(response);
  }

  /// Begins a stream of server-sent events.
  public EventStream events() {
    return new EventStream(stream("text/event-stream; charset=utf-8"));
  }

  /// Logs what went wrong behind an answer's beginning, and gives what the client is told, in the
  /// route's protocol.
  public Object failed(Throwable thrown) {
    return route.errors().body(failures.logged(this, thrown));
  }

  int status() {
    return response.getStatus();
  }

  String method() {
    return request.getMethod();
  }

  String path() {
    return Request.getPathInContext(request);
  }

  /// How long ago it came.
  public Duration age() {
    return Duration.ofNanos(System.nanoTime() - request.getBeginNanoTime());
  }
}
