package dev.quern.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

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

/// The example of docs/spring-ai.md, as it stands there, compiles, and tells a story.
class ExampleTest {
  private static final int MOST_LINES = 20;

  @TempDir Path folder;

  @Test
  void compilesAndRuns() throws Exception {
    String page =
        Files.readString(Path.of(System.getProperty("quern.home")).resolve("docs/spring-ai.md"));
    String program = block(page, "java src/main/java/story/StoryApplication.java");
    assertThat(program.lines().count()).isLessThanOrEqualTo(MOST_LINES);
    Path source = Files.writeString(folder.resolve("StoryApplication.java"), program);
    Files.writeString(
        folder.resolve("application.properties"),
        block(page, "properties src/main/resources/application.properties"));
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(messages, true, StandardCharsets.UTF_8);
    String classPath = System.getProperty("java.class.path");
    int code =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(
                out,
                out,
                "-proc:none",
                "-cp",
                classPath,
                "-d",
                folder.toString(),
                source.toString());
    assertThat(code).as(messages.toString(StandardCharsets.UTF_8)).isZero();

    Path printed = folder.resolve("printed.txt");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    folder + File.pathSeparator + classPath,
                    "story.StoryApplication"))
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile())
            .start();
    assertThat(process.waitFor()).as(Files.readString(printed)).isZero();
    assertThat(Files.readString(printed)).contains(", there was a curious boy named Oskar.");
  }

  private static String block(String page, String fence) {
    Matcher block =
        Pattern.compile("```" + Pattern.quote(fence) + "\n(.*?)```", Pattern.DOTALL).matcher(page);
    assertThat(block.find()).as(fence).isTrue();
    return block.group(1);
  }
}
