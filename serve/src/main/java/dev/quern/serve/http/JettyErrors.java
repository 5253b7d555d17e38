package dev.quern.serve.http;

import dev.quern.llama.text.Printable;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/// The answers to what Jetty itself refuses, such as headers that are none: error objects as all
/// others, with no word of what threw.
final class JettyErrors extends ErrorHandler {
  JettyErrors() {
    setShowStacks(false);
    setShowCauses(false);
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    int status = response.getStatus();
    Object message = request.getAttribute(ERROR_MESSAGE);
    String said =
        message == null || status >= 500
            ? HttpStatus.getMessage(status)
            : Printable.message(message.toString());
    HttpFailure failure =
        HttpFailure.of(
            status,
            "http_error",
            String.format(Locale.ROOT, "HTTP: %s, expected a request of HTTP/1.1", said));
    byte[] body = Json.bytes(ErrorStyle.OPENAI.body(failure));
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.write(true, ByteBuffer.wrap(body), callback);
    return true;
  }
}
