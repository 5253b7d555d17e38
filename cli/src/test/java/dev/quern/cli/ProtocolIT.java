package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `quern bench --protocol` through the launcher: runs in JVMs of their own, and charts from the
/// module path that only this command has.
class ProtocolIT {
  @TempDir Path folder;

  @Test
  void fromModelsToChartsAndBack() throws IOException {
    Path home = LauncherHome.in(folder);
    Path model = folder.resolve("tiny.gguf");
    assertEquals(0, quern(home, "synthesize --shape tiny --format Q4_0 --out " + model).code());
    Path json = folder.resolve("a.json");
    String files = " --json " + json + " --html " + folder.resolve("a.html");
    Child child =
        quern(
            home,
            "bench --protocol executorch --repetitions 2 --provider scalar --provider auto --model "
                + model
                + files);
    assertEquals(0, child.code(), child.err());
    assertTrue(child.out().contains("tiny.gguf on scalar"), child.out());
    assertTrue(child.out().contains("linear: scalar"), child.out());
    List<String> labels = new ArrayList<>();
    for (JsonNode run : new ObjectMapper().readTree(json.toFile()).path("runs")) {
      labels.add(run.path("label").asText());
    }
    String scalar = "tiny.gguf on scalar";
    String auto = "tiny.gguf on auto";
    assertEquals(List.of(scalar, auto, scalar, auto), labels, "alternating");
    assertTrue(Files.readString(folder.resolve("a.html")).contains("</svg>"));

    Path svg = folder.resolve("b.svg");
    String again = "bench --protocol executorch --from " + json + " --svg " + svg;
    assertEquals(0, quern(home, again).code());
    Files.delete(svg);
    Files.writeString(
        json,
        Files.readString(json)
            .replaceFirst("\"provider\" ?: ?\"scalar\"", "\"provider\" : \"vector\""));
    Child changed = quern(home, again);
    assertEquals(1, changed.code(), changed.out());
    assertTrue(changed.err().contains("changed after it was written"), changed.err());
    assertFalse(Files.exists(svg), "no chart of it");
  }

  @Test
  void aRunThatFailsIsSaidInOneLine() throws IOException {
    Path home = LauncherHome.in(folder);
    Path html = folder.resolve("a.html");
    Child child = quern(home, "bench --protocol executorch --model absent.gguf --html " + html);
    assertEquals(1, child.code(), child.out());
    assertTrue(child.err().contains("run 1 of 3 (absent.gguf on auto): exit code 1"), child.err());
    assertTrue(child.err().contains("absent.gguf: no such file"), child.err());
    assertFalse(Files.exists(html));
  }

  private Child quern(Path home, String words) throws IOException {
    List<String> command = new ArrayList<>(List.of(home.resolve("quern").toString()));
    command.addAll(List.of(words.split(" ")));
    return Child.run(folder, command);
  }
}
