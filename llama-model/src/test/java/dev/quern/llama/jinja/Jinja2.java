package dev.quern.llama.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.llama.text.Json;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.opentest4j.TestAbortedException;

/// Python's Jinja2, by the script `render.py` of the test resources: what is held against it.
final class Jinja2 {
  /// The script's.
  static final LocalDateTime NOW = LocalDateTime.of(2026, 9, 3, 14, 5, 9);

  /// @param text empty where Jinja2 fails
  record Case(
      String template,
      String name,
      Map<String, Object> given,
      Map<String, String> own,
      Optional<String> text) {

    String render(Template parsed) {
      return parsed.render(given, own, NOW).text();
    }

    @Override
    public String toString() {
      return template
          + ", "
          + name
          + ", add_generation_prompt "
          + given.get("add_generation_prompt");
    }
  }

  private Jinja2() {}

  static InputStream resource(String name) {
    return Jinja2.class.getResourceAsStream(name);
  }

  /// What the script prints.
  ///
  /// @throws TestAbortedException where this machine has no Jinja2, and `quern.shared.required` is
  ///   not set
  static byte[] run(String argument, byte[] input) throws IOException, InterruptedException {
    Path script = Files.createTempFile("render", ".py");
    Path errors = Files.createTempFile("render", ".log");
    try (InputStream in = resource("render.py")) {
      Files.write(script, in.readAllBytes());
      Process process;
      try {
        process =
            new ProcessBuilder("python3", script.toString(), argument)
                .redirectError(errors.toFile())
                .start();
      } catch (IOException e) {
        throw absent("no python3", e);
      }
      try (var out = process.getOutputStream()) {
        out.write(input);
      } catch (IOException e) {
        // it ended before it read; its errors say why
      }
      byte[] printed = process.getInputStream().readAllBytes();
      if (process.waitFor() != 0) {
        String message = Files.readString(errors);
        if (message.contains("No module named 'jinja2'")) {
          throw absent("python3 has no jinja2", null);
        }
        throw new AssertionError(message);
      }
      return printed;
    } finally {
      Files.delete(script);
      Files.delete(errors);
    }
  }

  private static TestAbortedException absent(String what, Throwable cause) {
    String message =
        "templates against Jinja2 were left out: " + what + " (Debian: python3-jinja2)";
    if (Boolean.getBoolean("quern.shared.required")) {
      Assertions.fail(message, cause);
    }
    System.out.println("[quern] " + message);
    return new TestAbortedException(message, cause);
  }

  /// The cases of what the script printed. Those of small templates share what is given.
  static List<Case> cases(byte[] json) throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    Json.stream(
        "render.py",
        new ByteArrayInputStream(json),
        IllegalStateException::new,
        (key, value) -> all.put(key, value.value()));
    List<Case> cases = new ArrayList<>();
    for (Object element : (List<?>) all.get("cases")) {
      Map<?, ?> one = (Map<?, ?>) element;
      cases.add(
          new Case(
              (String) one.get("template"),
              one.containsKey("name") ? (String) one.get("name") : "small",
              objects(one.containsKey("given") ? one.get("given") : all.get("given")),
              Map.of("bos_token", "<BOS>", "eos_token", "<EOS>"),
              Optional.ofNullable((String) one.get("text"))));
    }
    return cases;
  }

  private static Map<String, Object> objects(Object json) {
    Map<String, Object> map = new LinkedHashMap<>();
    ((Map<?, ?>) json).forEach((key, value) -> map.put((String) key, value));
    return map;
  }

  /// Renders a case and collects what is otherwise than in Jinja2.
  static void compare(Case one, String source, List<String> problems) {
    String expected = one.text().orElse("an error");
    String actual;
    try {
      actual = one.render(Template.of(source));
    } catch (JinjaException e) {
      assertEquals(1, e.getMessage().lines().count(), e.getMessage());
      if (one.text().isPresent()) {
        problems.add(one + ": " + e.getMessage() + "\nJinja2: " + expected);
      }
      return;
    } catch (RuntimeException | StackOverflowError e) {
      problems.add(one + ": " + e + " at " + List.of(e.getStackTrace()).subList(0, 4));
      return;
    }
    if (!actual.equals(expected)) {
      problems.add(one + ":\nQuern:  " + actual + "\nJinja2: " + expected);
    }
  }
}
