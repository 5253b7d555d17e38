package dev.quern.serve.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PageTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final Path FOLDER = Path.of("src/main/resources/dev/quern/serve/page");

  private static ScriptedApi server;

  @BeforeAll
  static void start() {
    server = ScriptedApi.start(Optional.of("0123456789abcdef"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static HttpResponse<String> get(String path, String... headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.address() + path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static Set<String> files() throws Exception {
    try (Stream<Path> all = Files.list(FOLDER)) {
      return all.map(f -> f.getFileName().toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Test
  void isThereWithoutAKeyUnderAPolicyThatLetsNothingElseIn() throws Exception {
    HttpResponse<String> page = get("");
    assertEquals(200, page.statusCode(), page.body());
    assertEquals("text/html; charset=utf-8", page.headers().firstValue("Content-Type").get());
    assertEquals(Files.readString(FOLDER.resolve("index.html")), page.body());
    String policy = page.headers().firstValue("Content-Security-Policy").get();
    assertTrue(policy.startsWith("default-src 'none'; script-src 'self'; "), policy);
    assertFalse(policy.contains("unsafe"), policy);
    assertFalse(policy.contains("http"), policy);
    assertTrue(policy.contains("frame-ancestors 'none'"), policy);
    assertEquals("nosniff", page.headers().firstValue("X-Content-Type-Options").get());
    assertEquals("no-referrer", page.headers().firstValue("Referrer-Policy").get());
    assertEquals("no-cache", page.headers().firstValue("Cache-Control").get());
    assertEquals(401, get("v1/models").statusCode());
  }

  @Test
  void everyFileIsServedAsWhatItIs() throws Exception {
    for (String name : files()) {
      HttpResponse<String> file = get(name.equals("index.html") ? "" : "page/" + name);
      assertEquals(200, file.statusCode(), name);
      String type = file.headers().firstValue("Content-Type").get();
      String expected =
          switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "js" -> "text/javascript; charset=utf-8";
            case "css" -> "text/css; charset=utf-8";
            case "svg" -> "image/svg+xml";
            default -> "text/html; charset=utf-8";
          };
      assertEquals(expected, type, name);
      assertEquals("nosniff", file.headers().firstValue("X-Content-Type-Options").get(), name);
    }
  }

  @Test
  void whatABrowserHasIsNotSentAgain() throws Exception {
    String tag = get("page/chat.js").headers().firstValue("ETag").get();
    for (String known : List.of(tag, "\"other\", W/" + tag, "*")) {
      HttpResponse<String> again = get("page/chat.js", "If-None-Match", known);
      assertEquals(304, again.statusCode(), known);
      assertEquals("", again.body());
      assertEquals(tag, again.headers().firstValue("ETag").get());
    }
    assertEquals(200, get("page/chat.js", "If-None-Match", "\"other\"").statusCode());
    assertFalse(tag.equals(get("page/api.js").headers().firstValue("ETag").get()));
  }

  @Test
  void nothingElseIsThere() throws Exception {
    HttpResponse<String> absent = get("page/index.htm");
    assertEquals(404, absent.statusCode());
    assertTrue(absent.body().contains("index.htm"), absent.body());
    assertEquals(
        400, get("page/..%2fPage.class").statusCode(), "a path that Jetty finds ambiguous");
    HttpResponse<String> post =
        CLIENT.send(
            HttpRequest.newBuilder(URI.create(server.address()))
                .header("Authorization", "Bearer 0123456789abcdef")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertEquals(405, post.statusCode());
    assertEquals("GET", post.headers().firstValue("Allow").get());
  }

  @Test
  void noFileNamesAnotherPlaceOrMakesMarkupOfText() throws Exception {
    Pattern elsewhere = Pattern.compile("(?:https?:)?//[a-z0-9]");
    Pattern markup =
        Pattern.compile(
            "innerHTML|outerHTML|insertAdjacentHTML|setHTML|document\\.write|DOMParser|eval\\(|Function\\(|srcdoc|javascript:");
    for (String name : files()) {
      String text = Files.readString(FOLDER.resolve(name));
      String code = text.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
      assertFalse(elsewhere.matcher(code).find(), name + " names another place");
      assertFalse(markup.matcher(code).find(), name + " makes markup of text");
    }
    String index = Files.readString(FOLDER.resolve("index.html"));
    assertFalse(Pattern.compile("<style|\\son[a-z]+=|\\sstyle=").matcher(index).find());
    Matcher scripts = Pattern.compile("<script([^>]*)>([^<]*)").matcher(index);
    assertTrue(scripts.find());
    assertTrue(scripts.group(1).contains("src=") && scripts.group(2).isEmpty(), scripts.group());
    assertFalse(scripts.find(), "one script, in a file of its own");
  }
}
