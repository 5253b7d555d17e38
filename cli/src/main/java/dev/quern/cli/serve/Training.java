package dev.quern.cli.serve;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// What a server is asked first, so that a class archive has the classes of that.
final class Training {
  private static final String CHAT =
      "{\"messages\":[{\"role\":\"user\",\"content\":\"Once upon a time\"}],\"max_tokens\":8,\"stream\":%s}";
  private static final String POST =
      "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s";

  private Training() {}

  /// @throws IllegalStateException where an answer is none
  static void ask(URI server) throws IOException {
    String whole = String.format(Locale.ROOT, CHAT, "false");
    String stream = String.format(Locale.ROOT, CHAT, "true");
    for (String request :
        List.of(
            get("/health"),
            String.format(Locale.ROOT, POST, "/v1/chat/completions", whole.length(), whole),
            String.format(Locale.ROOT, POST, "/v1/chat/completions", stream.length(), stream),
            get("/v1/models"),
            get("/metrics"))) {
      String answer = answer(server, request);
      if (!answer.startsWith("HTTP/1.1 200 ")) {
        throw new IllegalStateException("the training's request is answered " + answer);
      }
    }
  }

  private static String get(String path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  }

  private static String answer(URI server, String request) throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
