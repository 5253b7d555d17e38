package dev.quern.serve.page;

import dev.quern.llama.text.Printable;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.HttpFailure;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/// `GET /`: a page to chat on. `GET /page/*`: the files it consists of. Both are without a key: the
/// page asks for one where the server wants it.
public final class Page implements Endpoint {
  private static final String INDEX = "index.html";

  private static final List<String> FILES =
      List.of(
          INDEX,
          "announce.js",
          "api.js",
          "chat.css",
          "chat.js",
          "conversation.js",
          "dark.css",
          "icon.svg",
          "markdown.js",
          "notice.js",
          "problems.js",
          "reply.js",
          "report.js",
          "settings.css",
          "settings.js",
          "small.css",
          "style.css",
          "turns.js");

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "svg", "image/svg+xml");

  /// What a model writes is a stranger's: should it ever become more than text, the browser runs
  /// none of it, fetches nothing for it, and sends nothing to others.
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

  private static final Map<String, String> HEADERS =
      Map.of(
          "Content-Security-Policy", POLICY,
          "X-Content-Type-Options", "nosniff",
          "Referrer-Policy", "no-referrer",
          "Cross-Origin-Opener-Policy", "same-origin",
          "Cross-Origin-Resource-Policy", "same-origin",
          "Cache-Control", "no-cache"); // a browser asks each time whether its copy is the newest

  private record File(String type, byte[] bytes, String tag) {}

  private final Map<String, File> files =
      FILES.stream().collect(Collectors.toMap(Function.identity(), Page::read));

  @Override
  public void answer(Exchange exchange) throws Exception {
    String name = exchange.rest().isEmpty() ? INDEX : exchange.rest();
    File file = files.get(name);
    if (file == null) {
      throw HttpFailure.of(
          404,
          "unknown_url",
          String.format(
              Locale.ROOT,
              "page: no file %s, expected one that the page at / names",
              Printable.quoted(Printable.cut(name, 80))));
    }
    HEADERS.forEach(exchange::setHeader);
    exchange.setHeader("ETag", file.tag());
    if (exchange.header("If-None-Match").filter(known -> isKnown(known, file)).isPresent()) {
      exchange.sendEmpty(304);
      return;
    }
    exchange.send(200, file.type(), file.bytes());
  }

  /// @param known as RFC 9110, 13.1.2 has it: `*`, or tags, of which a proxy may have made weak
  ///   ones
  private static boolean isKnown(String known, File file) {
    return known.strip().equals("*") || known.contains(file.tag());
  }

  private static File read(String name) {
    try (InputStream in = Page.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + name + " beside " + Page.class);
      }
      byte[] bytes = in.readAllBytes();
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      String tag = '"' + HexFormat.of().formatHex(hash, 0, 16) + '"';
      return new File(TYPES.get(name.substring(name.lastIndexOf('.') + 1)), bytes, tag);
    } catch (IOException e) {
      throw new IllegalStateException("resource " + name, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }
}
