package dev.quern.serve.page;

import static dev.quern.serve.page.ScriptedApi.says;
import static dev.quern.serve.page.ScriptedApi.thinks;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/// The page in a browser, by keyboard alone.
class PageChatTest {
  @TempDir static Path folder;

  private static Browser browser;
  private ScriptedApi api;

  @BeforeAll
  static void open() {
    browser = Browser.open(folder);
  }

  @AfterAll
  static void close() {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void start() {
    api = ScriptedApi.start(Optional.empty());
    browser.screen(1280, 800);
    browser.load(api.address(), "vector");
  }

  @AfterEach
  void nothingWentWrong() {
    api.close();
    assertEquals(List.of(), browser.errors());
  }

  /// Tabs back until the focus is on what has this text.
  private static void tabBackTo(String text) {
    for (int i = 0; i < 30 && !browser.focus().equals(text); i++) {
      browser.chord(Keys.SHIFT, Keys.TAB);
    }
    assertEquals(text, browser.focus());
  }

  @Test
  void typesStreamsStopsAndRegenerates() throws Exception {
    api.answers.add(api.holds("Once ", "upon"));
    assertEquals("text", browser.focus());
    browser.press("Tell me");
    browser.chord(Keys.SHIFT, Keys.ENTER);
    browser.press("a story", Keys.ENTER);
    browser.awaitText(".reply .text", "Once upon");
    assertEquals("Tell me\na story", browser.text(".user .text"));
    assertEquals(List.of("Tell me\na story"), api.messages());
    assertEquals("Stop", browser.text("#send"));
    assertEquals("", browser.js("document.getElementById('text').value"));
    browser.press("more", Keys.ENTER); // is not sent, and stops nothing
    assertEquals("Stop", browser.text("#send"));
    browser.press(Keys.ESCAPE);
    browser.awaitText(".reply .about", "stopped");
    assertTrue(api.left.await(20, TimeUnit.SECONDS), "the connection is closed");
    assertEquals("Send", browser.text("#send"));
    assertEquals("more", browser.js("document.getElementById('text').value"));

    api.answers.add(says("There ", "was ", "a mill."));
    tabBackTo("Regenerate");
    browser.press(Keys.ENTER);
    browser.awaitText(".reply .about", "3 tokens");
    assertEquals("There was a mill.", browser.text(".reply .text"));
    assertEquals(1, browser.count(".reply"));
    assertEquals(List.of("Tell me\na story"), api.messages());
    assertTrue(browser.text(".reply .about").matches("3 tokens · .*first after .* s · prompt 9"));

    api.answers.add(says("Yes."));
    assertEquals("text", browser.focus());
    browser.press(Keys.ENTER);
    browser.await("a second reply", () -> browser.count(".reply") == 2);
    browser.await("it is over", () -> browser.text("#send").equals("Send"));
    assertEquals(List.of("Tell me\na story", "There was a mill.", "more"), api.messages());
    assertEquals(1, browser.count(".actions"));
  }

  @Test
  void stoppedBeforeTheFirstTokenTheMessageComesBack() {
    api.answers.add(api.holds());
    browser.press("Tell me", Keys.ENTER);
    browser.awaitText(".reply .about", "waiting");
    browser.press(Keys.ESCAPE);
    browser.await("it is over", () -> browser.text("#send").equals("Send"));
    assertEquals("Tell me", browser.js("document.getElementById('text').value"));
    assertEquals(0, browser.count(".turn"));
  }

  @Test
  void whatAModelWritesIsTextAndNothingRuns() {
    String hostile =
        "<script>window.pwned = 1</script> <img src=x onerror=\"window.pwned = 2\"> <b>b</b> `<i>c</i>` [x](javascript:alert(1))\n\n```\n<script>window.pwned = 3</script>\n```\n\n- <svg onload=\"window.pwned = 4\">";
    api.answers.add(says(hostile));
    browser.press("<img src=y onerror=\"window.pwned = 5\">", Keys.ENTER);
    browser.awaitText(".reply .about", "1 token");
    String shown = browser.text(".reply .text");
    for (String part :
        List.of(
            "<script>window.pwned = 1</script>",
            "<img src=x onerror",
            "<b>b</b>",
            "<i>c</i>",
            "[x](javascript:alert(1))",
            "<script>window.pwned = 3</script>",
            "<svg onload=")) {
      assertTrue(shown.contains(part), shown);
    }
    assertEquals("<img src=y onerror=\"window.pwned = 5\">", browser.text(".user .text"));
    assertEquals(0, browser.count("#turns :is(script, img, b, i, svg, a)"));
    assertNull(browser.js("window.pwned"));
    assertEquals(
        List.of(),
        browser.js(
            "performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin + '/'))"));
  }

  @Test
  void codeListsAndEmphasisAreShown() {
    api.answers.add(
        says(
            "## Two *ways*\nUse `a*b*c` or **both**:\n\n1. one\n   - in`side\n2. two\n\n```java\nint a;\n\n",
            "int b; // **no**\n```\nlast line\nbelow"));
    browser.press("How?", Keys.ENTER);
    browser.awaitText(".reply .about", "2 tokens");
    Object tree =
        browser.driver.executeScript(
            "const show = n => n.nodeType === 3 ? n.data : '<' + n.localName + '>' + [...n.childNodes].map(show).join('') + '</>';"
                + "return [...document.querySelector('.reply .text').children].map(show)");
    assertEquals(
        List.of(
            "<h3>Two <em>ways</></>",
            "<p>Use <code>a*b*c</> or <strong>both</>:</>",
            "<ol><li><p>one</><ul><li><p>in`side</></></></><li><p>two</></></>",
            "<pre><code>int a;\n\nint b; // **no**</></>",
            "<p>last line\nbelow</>"),
        tree);
  }

  @Test
  void whatAModelThinksIsFoldedAway() {
    api.answers.add(thinks(List.of("Two and", " two."), "<think>", "Four."));
    browser.press("2 + 2?", Keys.ENTER);
    browser.awaitText(".reply .about", "2 tokens");
    assertEquals("<think>Four.", browser.text(".reply .text"));
    assertEquals("Two and two.", browser.content(".reply details .thinking"));
    assertFalse(browser.isShown(".reply details .thinking"));
    tabBackTo("Regenerate");
    tabBackTo("Thinking");
    browser.press(Keys.ENTER);
    assertTrue(browser.isShown(".reply details .thinking"));
  }

  @Test
  void settingsAreAskedForAndKeptAndExported() throws Exception {
    browser.driver.findElement(By.id("system")).sendKeys("Be brief.");
    browser.press(Keys.TAB, "0.5", Keys.TAB, "64", Keys.TAB, "-7");
    browser.driver.findElement(By.id("model")).sendKeys("small");
    browser.driver.findElement(By.id("text")).click();
    api.answers.add(says("Yes."));
    browser.press("Well?", Keys.ENTER);
    browser.awaitText(".reply .about", "1 token");
    Map<String, Object> asked = api.asked.getLast();
    assertEquals("small", asked.get("model"));
    assertEquals("0.5", asked.get("temperature").toString());
    assertEquals(64, asked.get("max_tokens"));
    assertEquals(-7, asked.get("seed"));
    assertEquals(true, asked.get("stream"));
    assertEquals(List.of("Be brief.", "Well?"), api.messages());

    browser.driver.navigate().refresh();
    browser.await(
        "a model is chosen",
        () -> "small".equals(browser.js("document.getElementById('model').value")));
    assertEquals("Yes.", browser.text(".reply .text"));
    assertEquals("Be brief.", browser.js("document.getElementById('system').value"));
    assertEquals("0.5", browser.js("document.getElementById('temperature').value"));

    browser.driver.findElement(By.id("export")).sendKeys(Keys.ENTER);
    browser.await("a file is written", () -> exported().isPresent());
    JsonNode file = new ObjectMapper().readTree(exported().orElseThrow().toFile());
    assertEquals("small", file.get("model").textValue());
    assertEquals(3, file.get("messages").size());
    assertEquals(
        "{\"role\":\"assistant\",\"content\":\"Yes.\"}", file.at("/messages/2").toString());
    assertEquals(64, file.get("max_tokens").intValue());
    assertFalse(file.has("stream"));

    browser.driver.findElement(By.id("new")).sendKeys(Keys.ENTER);
    assertEquals(0, browser.count(".turn"));
    assertEquals("text", browser.focus());
    tabBackTo("Dismiss");
    tabBackTo("Back to the old one");
    browser.press(Keys.ENTER);
    assertEquals(2, browser.count(".turn"));
    browser.driver.executeScript("sessionStorage.clear()");
  }

  private static Optional<Path> exported() {
    try (Stream<Path> files = Files.list(folder.resolve("downloads"))) {
      return files.filter(f -> f.toString().endsWith(".json")).findFirst();
    } catch (IOException _) { // the browser has not made the folder yet
      return Optional.empty();
    }
  }

  @Test
  void aReaderHearsParagraphsAndNotTokens() {
    CountDownLatch gate = new CountDownLatch(1);
    api.answers.add(
        ScriptedApi.saysBehind(
            gate, "One", " two", " three.\n\nFour", " five", " six.\n\n", "Seven."));
    browser.press("Count", Keys.ENTER);
    browser.awaitText(".reply .text", "One");
    gate.countDown();
    browser.awaitText(".reply .about", "5 tokens");
    @SuppressWarnings("unchecked") // of strings
    List<String> heard =
        (List<String>)
            browser.js("[...document.querySelectorAll('#live p')].map(p => p.textContent)");
    assertEquals("Waiting for the reply", heard.getFirst());
    assertEquals(List.of("One two three.", "Four five six.", "Seven."), heard.subList(1, 4));
    assertTrue(heard.getLast().startsWith("5 tokens"), heard.toString());
    assertEquals(5, heard.size());
  }
}
