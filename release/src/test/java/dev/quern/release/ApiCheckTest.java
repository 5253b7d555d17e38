package dev.quern.release;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What breaks callers is found, and nothing else is.
class ApiCheckTest {
  @TempDir Path folder;

  @Test
  void whatIsAddedBreaksNobody() throws IOException {
    assertEquals(
        Map.of(),
        breaks(
            "toy/Point",
            SmallLibrary.POINT.replace(
                "public int sum",
                "public int product() {\n    return x * y;\n  }\n\n  public int sum")));
  }

  @Test
  void aMethodThatIsGoneIsABreak() throws IOException {
    TreeMap<String, String> breaks =
        breaks("toy/Point", SmallLibrary.POINT.replace("int sum", "int total"));
    assertEquals(Map.of("toy.Point", "METHOD_REMOVED sum()"), breaks);
  }

  @Test
  void aComponentThatARecordGetsIsABreakOfItsConstructor() throws IOException {
    TreeMap<String, String> breaks =
        breaks("toy/Point", SmallLibrary.POINT.replace("int y)", "int y, int z)"));
    assertEquals(Map.of("toy.Point", "CONSTRUCTOR_REMOVED Point(int,int)"), breaks);
  }

  @Test
  void aNewAbstractMethodIsABreakOfThoseWhoImplementIt() throws IOException {
    String stable = SmallLibrary.TRIAL.replace("experimental", "contract");
    String more = stable.replace("int value();", "int value();\n\n  int other();");
    TreeMap<String, String> breaks = breaks(Map.of("toy/Trial", stable), Map.of("toy/Trial", more));
    assertEquals(Map.of("toy.Trial", "METHOD_ADDED_TO_INTERFACE other()"), breaks);
  }

  @Test
  void whatPromisesNothingMayChange() throws IOException {
    assertEquals(Map.of(), breaks("toy/Trial", SmallLibrary.TRIAL.replace("value", "other")));
    assertEquals(
        Map.of(), breaks("toy/inside/Inside", SmallLibrary.INSIDE.replace("call", "other")));
  }

  @Test
  void aBreakIsRefusedUnlessItIsAccepted() throws IOException {
    TreeMap<String, String> breaks = new TreeMap<>(Map.of("toy.Point", "METHOD_REMOVED sum()"));
    String refused = "toy.Point: METHOD_REMOVED sum() (since 0.1.0)";
    assertFault(refused, check("", "0.1.0", "0.2.0", breaks));
    assertEquals(List.of(), check("# words\n\ntoy.Point it was wrong\n", "0.1.0", "0.2.0", breaks));
    assertEquals(List.of(), check("toy.Point it was wrong\n", "1.4.2", "2.0.0", breaks));
    assertFault(
        "raises the minor version before 1.0",
        check("toy.Point it was wrong\n", "0.1.0", "0.1.1", breaks));
    assertFault(
        "raises the minor version before 1.0",
        check("toy.Point it was wrong\n", "1.4.2", "1.5.0", breaks));
    assertFault("toy.Point: expected TYPE REASON", check("toy.Point\n", "0.1.0", "0.2.0", breaks));
    assertFault(
        "toy.Gone breaks nothing", check("toy.Gone why\n", "0.1.0", "0.1.1", new TreeMap<>()));
    assertEquals(List.of(), check("", "0.1.0", "0.1.1", new TreeMap<>()));
  }

  /// The script as a release calls it: in a checkout with a tag, and in one without.
  @Test
  void theScriptComparesWithTheLastTag() throws IOException {
    LeftOut.unlessInstalled(ApiCheckTest.class, "git");
    Path checkout = Files.createDirectory(folder.resolve("checkout"));
    SmallLibrary.write(checkout, SmallLibrary.types());
    // In place of Maven: it deploys what lies beside this checkout.
    Path before = SmallLibrary.deploy(checkout, folder.resolve("before"), "0.1.0");
    Path maven = checkout.resolve("mvnw");
    Files.writeString(
        maven,
        "#!/bin/sh\nfor word; do case $word in -DaltDeploymentRepository=tag::file:*) to=${word#*file:} ;; esac; done\ncp -R '"
            + before
            + "' \"$to\"\n");
    maven.toFile().setExecutable(true);
    run(checkout, "git", "init", "-q");
    run(checkout, "git", "add", "-A");
    run(
        checkout,
        "git",
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@localhost",
        "commit",
        "-qm",
        "one");

    Path same = SmallLibrary.deploy(checkout, folder.resolve("same"), "0.1.1");
    String api = Path.of("api.sh").toAbsolutePath().toString();
    assertEquals(
        "release: no tag yet, nothing to compare with\n",
        run(checkout, "sh", api, same.toString()));

    run(checkout, "git", "tag", "v0.1.0");
    String compared = run(checkout, "sh", api, same.toString());
    assertTrue(compared.contains("the API of 0.1.1 breaks nobody who calls 0.1.0"), compared);

    SmallLibrary.write(
        checkout, Map.of("toy/Point", SmallLibrary.POINT.replace("int sum", "int total")));
    Path broken = SmallLibrary.deploy(checkout, folder.resolve("broken"), "0.2.0");
    String refused = run(1, checkout, "sh", api, broken.toString());
    assertTrue(
        refused.contains("release: toy.Point: METHOD_REMOVED sum() (since 0.1.0); undo it"),
        refused);
  }

  private TreeMap<String, String> breaks(String type, String source) throws IOException {
    return breaks(Map.of(), Map.of(type, source));
  }

  private TreeMap<String, String> breaks(Map<String, String> before, Map<String, String> after)
      throws IOException {
    Map<String, String> types = new HashMap<>(SmallLibrary.types());
    Path old = Files.createTempDirectory(folder, "old");
    types.putAll(before);
    SmallLibrary.write(old, types);
    Path now = Files.createTempDirectory(folder, "new");
    types.putAll(after);
    SmallLibrary.write(now, types);
    return ApiBreaks.between(
        Artifacts.in(SmallLibrary.deploy(old, old.resolve("target"), "0.1.0")),
        Artifacts.in(SmallLibrary.deploy(now, now.resolve("target"), "0.2.0")),
        Stability.in(old));
  }

  private List<String> check(
      String accepted, String before, String after, TreeMap<String, String> breaks)
      throws IOException {
    Path file = Files.writeString(folder.resolve("api-breaks.txt"), accepted);
    return new ApiCheck(file, before, after).faults(breaks);
  }

  private static void assertFault(String part, List<String> faults) {
    assertEquals(
        1,
        faults.stream().filter(f -> f.contains(part)).count(),
        () -> part + " is not in " + faults);
  }

  private static String run(Path folder, String... words) throws IOException {
    return run(0, folder, words);
  }

  private static String run(int code, Path folder, String... words) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(words).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("QUERN_RELEASE_CLASSPATH", System.getProperty("java.class.path"));
    Process process = builder.start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      assertEquals(code, process.waitFor(), () -> List.of(words) + "\n" + out);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return out;
  }
}
