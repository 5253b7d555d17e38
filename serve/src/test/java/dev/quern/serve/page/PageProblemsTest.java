package dev.quern.serve.page;

import static dev.quern.serve.page.ScriptedApi.says;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.serve.http.HttpFailure;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/// What the page says when something goes wrong, and that no text is lost.
class PageProblemsTest {
  private static final String KEY = "0123456789abcdef";

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

  private void startReady() {
    api = ScriptedApi.start(Optional.empty());
    browser.load(api.address(), "vector");
  }

  @AfterEach
  void stop() {
    api.close();
  }

  private static String typed() {
    return (String) browser.js("document.getElementById('text').value");
  }

  @ParameterizedTest
  @CsvSource({
    "429, queue_full, 4, The server has its hands full. Send again in 4 seconds.",
    "400, context_length_exceeded, 0, The conversation is too long for this model. Begin a new one",
    "404, model_not_found, 0, The server has no model of this name any more. Choose another",
    "503, server_stopping, 0, The server is shutting down. Send again when it runs.",
    "503, model_too_large, 0, The server refused the request. from the server",
    "504, deadline_exceeded, 0, The reply took longer than the server allows. Ask for fewer tokens",
    "500, internal_error, 0, The server failed. Its log has the reason under request ",
    "403, host_not_allowed, 0, The server does not answer under this address. from the server",
  })
  void sayWhatToDoAndGiveTheMessageBack(int status, String code, String retry, String words) {
    startReady();
    HttpFailure failure = HttpFailure.of(status, code, "from the server");
    api.answers.add(
        ScriptedApi.fails(retry.equals("0") ? failure : failure.with("Retry-After", retry)));
    browser.press("Well?", Keys.ENTER);
    browser.awaitText("#notice", words);
    assertEquals("Well?", typed());
    assertEquals(0, browser.count(".turn"));
    assertEquals("text", browser.focus());
    api.answers.add(says("Yes."));
    browser.press(Keys.ENTER);
    browser.awaitText(".reply .about", "1 token");
    assertEquals(1, browser.count(".user"));
    assertEquals("", browser.text("#notice"));
  }

  @Test
  void aKeyIsAskedForWhereTheServerWantsOneAndKeptInMemoryAlone() {
    api = ScriptedApi.start(Optional.of(KEY));
    browser.driver.get(api.address());
    browser.awaitText("#notice", "The server wants an API key. Enter one in the settings.");
    assertEquals("key", browser.focus());
    browser.press("0123456789abcdeX", Keys.ENTER);
    browser.awaitText("#notice", "It does not know this one; enter another.");
    browser.press(KEY, Keys.ENTER); // in place of the other, which is selected
    browser.awaitText("#report", "vector");
    assertEquals("text", browser.focus());
    api.answers.add(says("Yes."));
    browser.press("Well?", Keys.ENTER);
    browser.awaitText(".reply .about", "1 token");
    assertFalse(
        browser
            .js("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])")
            .toString()
            .contains(KEY));
    browser.driver.navigate().refresh();
    browser.awaitText("#notice", "The server wants an API key.");
    assertEquals("Yes.", browser.text(".reply .text"));
  }

  @Test
  void noKeyIsAskedForWhereNoneIsWanted() {
    startReady();
    assertFalse(browser.isShown("#key-field"));
  }

  @Test
  void aServerThatIsGoneIsSaid() {
    startReady();
    api.close();
    browser.press("Well?", Keys.ENTER);
    browser.awaitText(
        "#notice", "Is quern serve still running? Start it again, then send once more.");
    assertEquals("Well?", typed());
  }

  @Test
  void whatCameBeforeAFailureStays() {
    startReady();
    api.answers.add(ScriptedApi.breaksOff("Half a ", "word"));
    browser.press("Well?", Keys.ENTER);
    browser.awaitText("#notice", "The connection broke off in the middle of the reply.");
    assertEquals("Half a word", browser.text(".reply .text"));
    assertEquals("not whole", browser.text(".reply .about"));
    api.answers.add(
        ScriptedApi.fails(HttpFailure.of(504, "deadline_exceeded", "too long"), "Another"));
    browser.chord(Keys.SHIFT, Keys.TAB); // Dismiss
    browser.press(Keys.ENTER);
    browser.driver.findElement(By.cssSelector(".actions button")).sendKeys(Keys.ENTER);
    browser.awaitText("#notice", "The reply took longer than the server allows.");
    assertEquals("Another", browser.text(".reply .text"));
    api.answers.add(ScriptedApi.fails(HttpFailure.of(429, "queue_full", "full")));
    browser.driver.findElement(By.cssSelector(".actions button")).sendKeys(Keys.ENTER);
    browser.awaitText("#notice", "hands full");
    assertEquals("Another", browser.text(".reply .text"), "the reply that there was");
  }

  @Test
  void aFieldThatIsWrongIsNamedBeforeAnythingIsSent() {
    startReady();
    browser.driver.findElement(By.id("max-tokens")).sendKeys("1.5");
    browser.driver.findElement(By.id("text")).sendKeys("Well?", Keys.ENTER);
    browser.awaitText("#notice", "Max. tokens: expected a whole number, 1 or more.");
    assertEquals("max-tokens", browser.focus());
    assertEquals("Well?", typed());
    assertTrue(api.asked.isEmpty());
  }

  @Test
  void aFieldThatTheServerDoesNotTakeIsMarked() {
    startReady();
    api.answers.add(
        ScriptedApi.fails(HttpFailure.invalid("temperature", "temperature: 1000, expected less")));
    browser.press("Well?", Keys.ENTER);
    browser.awaitText("#notice", "temperature: 1000, expected less");
    assertEquals("temperature", browser.focus());
    assertEquals("true", browser.js("document.activeElement.getAttribute('aria-invalid')"));
  }

  @Test
  void aModelThatIsBeingLoadedIsWaitedFor() {
    api = ScriptedApi.start(Optional.empty());
    api.health = Optional.of(HttpFailure.of(503, "model_loading", "loading"));
    browser.driver.get(api.address());
    browser.await(
        "the models", () -> browser.js("document.getElementById('model').value").equals("big"));
    assertEquals("", browser.text("#notice"));
    assertEquals("The model is not loaded yet.", browser.text("#report"));
    api.health = Optional.empty();
    browser.awaitText("#report", "vector");
  }
}
