package dev.quern.serve.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.serve.QuernServer;
import dev.quern.serve.ServerOptions;
import dev.quern.serve.options.HttpOptions;
import dev.quern.serve.options.ModelsOptions;
import dev.quern.serve.options.ServedModel;
import dev.quern.testing.LeftOut;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/// The page on a real server with the demo model: what it says, how it looks (`target/page` has
/// pictures), and that it shuts nobody out.
class PageLooksTest {
  private static final Path PICTURES = Path.of("target/page");
  private static final LoadOptions LOADING =
      LoadOptions.defaults()
          .withKernels(KernelOptions.fromSystem().withProvider("scalar"))
          .withContext(256);

  @TempDir static Path folder;

  private static Browser browser;
  private static QuernServer server;

  @BeforeAll
  static void open() throws IOException {
    browser = Browser.open(folder);
    server =
        QuernServer.start(
            new ServerOptions(
                HttpOptions.defaults().withAddress("127.0.0.1", 0),
                ModelsOptions.of(List.of(ServedModel.demo())).withLoading(LOADING)));
    server.load();
  }

  @AfterAll
  static void close() {
    if (server != null) {
      server.close();
    }
    if (browser != null) {
      browser.close();
    }
  }

  private static void load() {
    browser.load(server.address() + "/", "scalar");
    browser.driver.executeScript("sessionStorage.clear()");
    browser.load(server.address() + "/", "scalar");
  }

  private static void set(String field, String value) {
    browser.driver.findElement(By.id(field)).clear();
    browser.driver.findElement(By.id(field)).sendKeys(value);
  }

  @Test
  void theTextIsWhatASessionSaysAlone() throws Exception {
    StringBuilder alone = new StringBuilder();
    try (LlamaModel model = LlamaModel.loadDemo(LOADING);
        LlamaSession session = model.newSession()) {
      session.generate("Once upon a time", GenerationOptions.greedy(40), alone::append);
    }
    browser.screen(1280, 800);
    load();
    set("temperature", "0");
    set("max-tokens", "40");
    set("text", "Once upon a time\n");
    browser.awaitText(".reply .about", "40 tokens · ");
    assertEquals(alone.toString().strip(), browser.text(".reply .text"));
    String about = browser.text(".reply .about");
    assertTrue(
        about.matches("40 tokens · [0-9.]+ tokens/s · first after [0-9.]+ s · prompt 9.*"), about);
    assertEquals("demo", browser.text(".reply h2"));
    assertEquals(List.of(), browser.errors());
  }

  @ParameterizedTest
  @CsvSource({"light, 1280, 800", "dark, 1280, 800", "light, 390, 844", "dark, 390, 844"})
  void looks(String scheme, int width, int height) throws Exception {
    if (scheme.equals("light") != (width == 1280)) {
      LeftOut.unlessFull(PageLooksTest.class, scheme + " at " + width + " pixels");
    }
    String name = scheme + "-" + width;
    browser.scheme(scheme);
    browser.screen(width, height);
    load();
    check(name + "-empty");
    boolean small = width < 960;
    if (small) {
      browser.driver.findElement(By.id("open-settings")).sendKeys(Keys.ENTER);
      assertEquals("close-settings", browser.focus());
    }
    set("temperature", "0.8");
    set("max-tokens", "70");
    set("seed", "7");
    if (small) {
      check(name + "-settings");
      browser.press(Keys.ESCAPE);
      assertEquals("open-settings", browser.focus());
    }
    set("text", "Once upon a time\n");
    browser.await(
        "a reply", () -> browser.text("#send").equals("Send") && browser.count(".actions") == 1);
    check(name + "-story");
    browser.driver.executeScript("window.scrollTo(0, 0)");
    set("text", "And then?");
    browser.driver.executeScript("document.getElementById('max-tokens').value = '1.5'");
    browser.driver.findElement(By.id("send")).sendKeys(Keys.ENTER);
    browser.awaitText("#notice", "Max. tokens");
    Object onTop =
        browser.driver.executeScript(
            "const n = document.getElementById('notice'); const r = n.getBoundingClientRect();"
                + "return n.contains(document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2))");
    assertEquals(true, onTop, "the notice is below something");
    check(name + "-notice");
    if (small) {
      browser.press(Keys.ESCAPE);
      browser.driver.findElement(By.id("open-settings")).sendKeys(Keys.ENTER);
    }
    browser.driver.findElement(By.id("open-report")).sendKeys(Keys.ENTER);
    assertTrue(browser.text("#choices-body").contains("linear"));
    check(name + "-report");
    browser.press(Keys.ESCAPE);
    assertEquals("open-report", browser.focus());
    assertEquals(List.of(), browser.errors());
  }

  @ParameterizedTest
  @CsvSource({"light, 1280, 800", "dark, 390, 844"})
  void markdownLooks(String scheme, int width, int height) throws Exception {
    browser.scheme(scheme);
    browser.screen(width, height);
    try (ScriptedApi api = ScriptedApi.start(Optional.empty())) {
      browser.load(api.address(), "vector");
      api.answers.add(
          ScriptedApi.says(
              "A **quern** is a hand mill of two stones. To turn a list around in Java:\n\n",
              "```java\nList<String> reversed = names.reversed(); // since 21, a view and no copy of what is there, however long the line\n```\n\n",
              "### What to know\n\n1. It is a *view*.\n2. `names` must be a `List`:\n   - `ArrayList`\n   - `LinkedList`\n\nThat is all."));
      browser.press("How do I turn a list around?", Keys.ENTER);
      browser.awaitText(".reply .about", "3 tokens");
      check(scheme + "-" + width + "-markdown");
    }
  }

  private static void check(String name) throws IOException {
    browser.picture(PICTURES.resolve(name + ".png"));
    assertEquals("", browser.barriers(), name);
    assertTrue(
        (boolean) browser.js("document.documentElement.scrollWidth <= innerWidth"),
        name + " is wider than the screen");
  }
}
