package dev.quern.serve.page;

import dev.quern.testing.LeftOut;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assertions;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;

/// A Chromium without a window, with a profile of its own. Nothing is downloaded for it.
final class Browser implements AutoCloseable {
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  final ChromeDriver driver;

  private Browser(ChromeDriver driver) {
    this.driver = driver;
  }

  /// Ends the test where the machine has none, and says so.
  static Browser open(Path folder) {
    Optional<Path> absent =
        List.of(DRIVER, CHROMIUM).stream().filter(f -> !Files.isExecutable(f)).findFirst();
    if (absent.isPresent()) {
      LeftOut.lacking(
          Browser.class, "there is no " + absent.get() + " (Debian: chromium, chromium-driver)");
    }
    ChromeOptions options = new ChromeOptions();
    options.setBinary(CHROMIUM.toFile());
    options.addArguments(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--lang=en",
        "--user-data-dir=" + folder.resolve("profile"));
    ChromeDriverService service =
        new ChromeDriverService.Builder().usingDriverExecutable(DRIVER.toFile()).build();
    Browser browser = new Browser(new ChromeDriver(service, options));
    browser.driver.executeCdpCommand(
        "Browser.setDownloadBehavior",
        Map.of("behavior", "allow", "downloadPath", folder.resolve("downloads").toString()));
    browser.screen(1280, 800);
    return browser;
  }

  void screen(int width, int height) {
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
  }

  /// @param scheme `light` or `dark`
  void scheme(String scheme) {
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
  }

  /// Presses keys, wherever the focus is.
  void press(CharSequence... keys) {
    new Actions(driver).sendKeys(keys).perform();
  }

  /// Presses a key while another is held.
  void chord(Keys held, CharSequence key) {
    new Actions(driver).keyDown(held).sendKeys(key).keyUp(held).perform();
  }

  /// What a script of one expression gives.
  Object js(String expression) {
    return driver.executeScript("return " + expression);
  }

  /// The text that the first match shows; empty where there is none.
  String text(String selector) {
    Object text =
        driver.executeScript(
            "return document.querySelector(arguments[0])?.innerText.trim() ?? ''", selector);
    return (String) text;
  }

  /// The text that the first match has, whether it is on the screen or not.
  String content(String selector) {
    return (String)
        driver.executeScript("return document.querySelector(arguments[0]).textContent", selector);
  }

  boolean isShown(String selector) {
    return (boolean)
        driver.executeScript(
            "return document.querySelector(arguments[0]).checkVisibility({visibilityProperty: true})",
            selector);
  }

  /// Loads a page, and waits until it knows who runs the model.
  void load(String address, String provider) {
    driver.get(address);
    await("the report is shown", () -> content("#report").contains(provider));
  }

  long count(String selector) {
    return (long)
        driver.executeScript("return document.querySelectorAll(arguments[0]).length", selector);
  }

  /// What the keyboard would act on: its id, or else its text.
  String focus() {
    return (String) js("document.activeElement.id || document.activeElement.innerText.trim()");
  }

  void await(String what, BooleanSupplier condition) {
    await(() -> what, condition);
  }

  void awaitText(String selector, String part) {
    await(
        () -> selector + ": expected " + part + ", has " + text(selector),
        () -> text(selector).contains(part));
  }

  private static void await(Supplier<String> what, BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      Assertions.assertTrue(System.nanoTime() < end, what);
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /// What axe-core finds that shuts people out, as a line each.
  String barriers() {
    try (var script = Browser.class.getResourceAsStream("/axe.min.js")) {
      driver.executeScript(new String(script.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    driver.manage().timeouts().scriptTimeout(Duration.ofSeconds(60));
    return (String)
        driver.executeAsyncScript(
            "const done = arguments[0];"
                + "axe.run().then(r => done((r.passes.length < 20 ? 'axe saw next to nothing\\n' : '')"
                + " + r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join('; ')).join('\\n')), e => done(String(e)))");
  }

  void picture(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
  }

  /// What the console has that is an error.
  List<String> errors() {
    return driver.manage().logs().get("browser").getAll().stream()
        .filter(entry -> entry.getLevel().intValue() >= java.util.logging.Level.WARNING.intValue())
        .map(Object::toString)
        .toList();
  }

  @Override
  public void close() {
    driver.quit();
  }
}
