package dev.quern.llama.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Templates of published models: conversations of all kinds as Jinja2 renders them, character for
/// character, and refused where it fails.
class PublishedTemplatesTest {
  @Test
  void areRenderedAsJinja2Does() throws IOException, InterruptedException {
    Path folder = SharedFiles.file("templates");
    List<Jinja2.Case> cases = Jinja2.cases(Jinja2.run(folder.toString(), new byte[0]));
    List<String> problems = new ArrayList<>();
    for (Jinja2.Case one : cases) {
      Jinja2.compare(one, Files.readString(folder.resolve(one.template())), problems);
    }
    cases.stream()
        .collect(Collectors.groupingBy(Jinja2.Case::template))
        .forEach((template, its) ->
            assertTrue(its.stream().filter(c -> c.text().isPresent()).count() >= 40, template));
    assertEquals("", String.join("\n", problems), problems.size() + " of " + cases.size());
  }
}
