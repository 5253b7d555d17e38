package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/// The public workflows, which nothing runs before they are pushed: what can be read in them.
class WorkflowTest {
  private static final Path HOME = Path.of(System.getProperty("quern.home")).toAbsolutePath();
  private static final Pattern PROGRAM =
      Pattern.compile(
          "(?<![\\w/.$])(\\./|\\.\\\\)?((?:[\\w.-]+/)+[\\w.-]+|quern|build|mvnw\\.cmd)(?=\\s)");

  @Test
  void theyMayReadTheCheckoutAndNothingElse() throws IOException {
    for (Path file : workflows()) {
      Map<String, Object> workflow = read(file);
      assertEquals(Map.of("contents", "read"), workflow.get("permissions"), file.toString());
      for (Map<String, Object> job : jobs(workflow).values()) {
        assertFalse(job.containsKey("permissions"), file.toString());
        assertTrue(job.containsKey("timeout-minutes"), file + ": a job may hang for six hours");
      }
    }
  }

  @Test
  void everyActionHasAVersion() throws IOException {
    for (Path file : workflows()) {
      for (Map<String, Object> step : steps(read(file))) {
        Object uses = step.get("uses");
        assertTrue(
            uses == null || uses.toString().matches("[\\w-]+(/[\\w-]+)+@v\\d+"),
            file + ": " + uses);
        assertTrue((uses == null) != (step.get("run") == null), file + ": " + step);
      }
    }
  }

  /// What somebody types or names a branch becomes part of a shell's command otherwise.
  @Test
  void nothingOfAnEventIsPartOfACommand() throws IOException {
    for (Path file : workflows()) {
      for (Map<String, Object> step : steps(read(file))) {
        String run = String.valueOf(step.get("run"));
        assertFalse(run.contains("${{"), file + ": " + run);
      }
    }
  }

  @Test
  void everyScriptThatACommandNamesIsThere() throws IOException {
    Set<String> seen = new HashSet<>();
    for (Path file : workflows()) {
      for (Map<String, Object> step : steps(read(file))) {
        for (String line : step.getOrDefault("run", "").toString().split("\n")) {
          Matcher program = PROGRAM.matcher(line + " ");
          if (program.find() && (program.group(1) != null || program.group(2).contains("/"))) {
            Path script = HOME.resolve(program.group(2));
            boolean there =
                script.toString().endsWith(".cmd")
                    ? Files.exists(script)
                    : Files.isExecutable(script);
            assertTrue(there, file + ": no program " + script);
            seen.add(program.group(2));
          }
        }
      }
    }
    assertTrue(
        seen.containsAll(
            List.of(
                "build",
                "quern",
                ".ci/figures",
                "provider-native-kleidi/library-jar",
                "provider-native-kleidi/library-jar-macos")),
        seen.toString());
  }

  /// Each of three systems is tested and measured, by the oldest JDK that will do and the newest.
  @Test
  void everySystemIsVerifiedAndMeasured() throws IOException {
    Map<String, Map<String, Object>> jobs = jobs(read(HOME.resolve(".github/workflows/ci.yml")));
    for (String name : List.of("verify", "figures")) {
      Map<String, Object> matrix = map(map(jobs.get(name).get("strategy")).get("matrix"));
      assertEquals(List.of("25", ">=25"), matrix.get("jdk"), name);
      List<String> systems = new ArrayList<>();
      for (Object system : (Collection<?>) matrix.get("system")) {
        systems.add(map(system).get("name").toString());
      }
      assertEquals(List.of("Linux x64", "Linux arm64", "macOS arm64"), systems, name);
    }
    assertTrue(
        stepsOf(jobs.get("verify")).stream()
            .anyMatch(s -> String.valueOf(s.get("run")).contains("./build -B -ntp verify")));
    assertTrue(
        stepsOf(jobs.get("figures")).stream()
            .anyMatch(s -> "figures".equals(map(s.getOrDefault("with", Map.of())).get("path"))));
    for (Object needed : (Collection<?>) jobs.get("figures").get("needs")) {
      assertTrue(jobs.containsKey(needed), "no job " + needed);
    }
  }

  private static List<Path> workflows() throws IOException {
    try (Stream<Path> files = Files.list(HOME.resolve(".github/workflows"))) {
      List<Path> all = files.sorted().toList();
      assertFalse(all.isEmpty());
      return all;
    }
  }

  private static Map<String, Object> read(Path file) throws IOException {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    return map(new Yaml(new SafeConstructor(options)).load(Files.readString(file)));
  }

  private static Map<String, Map<String, Object>> jobs(Map<String, Object> workflow) {
    Map<String, Map<String, Object>> jobs = new LinkedHashMap<>();
    map(workflow.get("jobs")).forEach((name, job) -> jobs.put(name, map(job)));
    return jobs;
  }

  private static List<Map<String, Object>> steps(Map<String, Object> workflow) {
    return jobs(workflow).values().stream().flatMap(j -> stepsOf(j).stream()).toList();
  }

  private static List<Map<String, Object>> stepsOf(Map<String, Object> job) {
    return ((Collection<?>) job.get("steps")).stream().map(WorkflowTest::map).toList();
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object value) {
    return (Map<String, Object>) value;
  }
}
