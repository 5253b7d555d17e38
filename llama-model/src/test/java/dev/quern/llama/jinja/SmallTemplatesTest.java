package dev.quern.llama.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Small templates, a line each, that show one thing of the language: rendered as Jinja2 renders
/// them, or refused as it refuses them. What it makes of them is in `small-templates.json`, which
/// is written by
///
/// ```
/// python3 render.py - < small-templates.txt > small-templates.json
/// ```
class SmallTemplatesTest {
  @Test
  void areRenderedAsJinja2Does() throws IOException {
    List<Jinja2.Case> cases = Jinja2.cases(read("small-templates.json"));
    List<String> problems = new ArrayList<>();
    for (Jinja2.Case one : cases) {
      Jinja2.compare(one, one.template().replace('⏎', '\n'), problems);
    }
    assertTrue(cases.stream().filter(c -> c.text().isPresent()).count() > 100);
    assertTrue(cases.stream().filter(c -> c.text().isEmpty()).count() > 60);
    assertEquals("", String.join("\n", problems), problems.size() + " of " + cases.size());
  }

  /// The file in the resources is what this machine's Jinja2 makes.
  @Test
  void theFileIsJinja2s() throws IOException, InterruptedException {
    byte[] made = Jinja2.run("-", read("small-templates.txt"));
    List<Jinja2.Case> kept = Jinja2.cases(read("small-templates.json"));
    assertEquals(kept, Jinja2.cases(made));
  }

  private static byte[] read(String name) throws IOException {
    try (InputStream in = Jinja2.resource(name)) {
      return in.readAllBytes();
    }
  }
}
