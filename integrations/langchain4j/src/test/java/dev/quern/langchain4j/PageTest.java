package dev.quern.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The example of docs/langchain4j.md, as it stands there, compiles and runs.
class PageTest {
  @TempDir Path folder;

  @Test
  void theExampleTellsAStoryAndItsMood() throws Exception {
    Path page = Path.of(System.getProperty("quern.home"), "docs", "langchain4j.md");
    Matcher block =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(page));
    assertTrue(block.find(), "the page has no Java example");
    assertTrue(block.group(1).lines().count() <= 20, block.group(1));
    Path source = Files.writeString(folder.resolve("Example.java"), block.group(1));
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(messages, true, StandardCharsets.UTF_8);
    String classPath = System.getProperty("java.class.path");
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(out, out, "-cp", classPath, "-d", folder.toString(), source.toString());
    assertEquals(0, code, messages.toString(StandardCharsets.UTF_8));

    Path printed = folder.resolve("printed.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                folder + File.pathSeparator + classPath,
                "Example")
            .redirectOutput(printed.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertEquals(0, process.waitFor());
    List<String> lines = Files.readAllLines(printed);
    assertTrue(
        lines.getFirst().startsWith("Once upon a time, there was a curious boy named Oskar."),
        lines::toString);
    assertTrue(List.of("HAPPY", "SAD").contains(lines.getLast()), lines::toString);
  }
}
