package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The process's own streams: closed, full, read no further, and words that a locale loses.
class StandardStreamsIT {
  @TempDir Path folder;

  @Test
  void closedInputIsNoText() throws IOException {
    Child chat = shell("exec java... chat <&-");
    assertEquals(0, chat.code(), chat.err());
    assertEquals("", chat.out());
    assertFalse(chat.err().contains("load "), "nothing was answered: " + chat.err());
    Child run = shell("exec java... run <&-");
    assertEquals(2, run.code(), run.err());
    assertTrue(run.err().contains("which text?"), run.err());
  }

  @Test
  void aPipeIsAPromptAndNoInputIsNone() throws IOException {
    Child piped = shell("printf '\\357\\273\\277Once\\n' | java... run -n 0");
    assertEquals("Once", piped.out(), piped.err());
    Child none = shell("exec java... run </dev/null");
    assertEquals(2, none.code(), none.err());
  }

  @ParameterizedTest
  @ValueSource(strings = {"--version", "--help", "help run", "tokenize --ids hello", "inspect"})
  void aFullDiskIsSaid(String command) throws IOException {
    boolean full = Files.exists(Path.of("/dev/full"));
    assumeTrue(full, "no /dev/full here: what a full disk does to " + command + " is not tested");
    Child child = shell("exec java... " + command + " >/dev/full");
    assertEquals(1, child.code(), child.err());
    assertTrue(
        child.err().contains("quern: standard output: No space left on device"), child.err());
  }

  @Test
  void aReaderThatGoesEndsTheCommandQuietly() throws IOException {
    Child child =
        shell("{ java... run --prompt Once -n 400 --temperature 1; echo $? >&2; } | head -c 9");
    assertEquals(9, child.out().length(), child.out());
    assertTrue(child.err().strip().endsWith("141"), child.err());
    assertFalse(child.err().contains("quern: "), child.err());
    assertFalse(child.err().contains("load "), "no metrics: " + child.err());
  }

  @Test
  void wordsThatTheLocaleLosesAreAnError() throws IOException {
    Child lost =
        shell("LC_ALL=C; export LC_ALL; exec java... tokenize --ids \"$(printf 'Gr\\303\\274n')\"");
    assertEquals(1, lost.code(), lost.out());
    assertTrue(lost.err().contains("LC_ALL=C.UTF-8"), lost.err());
    assertEquals("", lost.out());
  }

  @Test
  void textAndSettingsBehindTheCommand() throws IOException {
    Child text = shell("exec java... run -n 0 --prompt -Dfoo=bar");
    assertEquals("-Dfoo=bar", text.out(), text.err());
    Child setting =
        shell("exec java... run -n 0 --prompt x -Dquern.log=info -Dquern.provider=scalar");
    assertEquals("x", setting.out(), setting.err());
    assertTrue(setting.err().contains("quern: info: "), setting.err());
    assertFalse(setting.err().contains("vector "), setting.err());
  }

  /// Runs a line of the shell, in which `java...` is the product.
  private Child shell(String line) throws IOException {
    List<String> command = new ArrayList<>(List.of("sh", "-c"));
    command.add(line.replace("java...", "\"$0\" -p \"$1\" -m dev.quern.cli/dev.quern.cli.Main"));
    command.add(Child.JAVA);
    command.add(System.getProperty("quern.lib"));
    return Child.run(folder, command);
  }
}
