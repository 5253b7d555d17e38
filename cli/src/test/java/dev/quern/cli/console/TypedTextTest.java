package dev.quern.cli.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.Quern;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Text reaches the model as it was typed, or an error says why not.
class TypedTextTest {
  private static final String MARK = "\uFEFF";

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "@one",
        "@@x",
        "@/etc/passwd",
        "-n",
        "--model",
        "-Dfoo=bar",
        "-Dquern.provider=absent",
        "run",
        "help",
        "${sys:user.home}",
        "$x",
        "'quoted'",
        "\"quoted\"",
        "a\\nb",
        "a,b",
        "x\r\ny\n",
        " blanks ",
        "\u0000\u001b[31m",
        "😀\u200d\uFFFD",
        ""
      })
  void whatFollowsAnOptionIsText(String text) throws IOException {
    Files.writeString(folder.resolve("one"), "\"the secret of the file\"");
    for (String[] words :
        new String[][] {{"--prompt", text}, {"--prompt=" + text}, {"-p", text}, {"-p=" + text}}) {
      List<String> command = new ArrayList<>(List.of("run", "-n", "0"));
      command.addAll(List.of(words));
      Quern result = Quern.run(command.toArray(String[]::new));
      if (text.isEmpty() && result.code() != 0) { // no tokens, nothing to go on from: not the point
        continue;
      }
      assertEquals(0, result.code(), result.err());
      assertEquals(text, result.out(), Arrays.toString(words));
    }
  }

  @Test
  void twoDashesAreNoValue() {
    assertEquals(2, Quern.run("run", "-n", "0", "--prompt=--").code());
    assertEquals(2, Quern.run("run", "-n", "0", "--prompt", "--").code());
  }

  @ParameterizedTest
  @ValueSource(strings = {"@x", "@@x", "-n", "-Dfoo=bar", "--help", "help", "--", "a=b"})
  void whatFollowsTwoDashesIsText(String text) {
    Quern typed = Quern.run("tokenize", "--ids", "--", text);
    assertEquals(0, typed.code(), typed.err());
    assertEquals(Quern.withInput(text, "tokenize", "--ids").out(), typed.out());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "run --prompt x -Dfoo=bar|-Dfoo: a property of the JVM's goes before the command: quern -Dfoo=bar run ...",
        "run -Djava.io.tmpdir=/ --prompt x|quern -Djava.io.tmpdir=/ run ...",
        "explain -Dquernx=1|quern -Dquernx=1 explain ...",
        "explain -Dfoo|quern -Dfoo explain ...",
      })
  void propertiesOfTheJvmGoBeforeTheCommand(String command, String part) {
    Quern result = Quern.run(command.split(" "));
    assertEquals(2, result.code(), result.err());
    assertTrue(result.err().contains(part), result.err());
    assertEquals("", result.out());
  }

  @Test
  void settingsMayFollowTheCommand() {
    try {
      Quern result = Quern.run("explain", "-Dquern.numerics=exact", "-Dquern.provider=scalar");
      assertEquals(0, result.code(), result.err());
      assertTrue(result.out().contains("exact-f32"), result.out());
      assertFalse(result.out().contains("int8-sym"), result.out());

      Quern refused = Quern.run("run", "--prompt", "x", "-Dquern.provider=scalr");
      assertEquals(1, refused.code(), refused.err());
      assertTrue(refused.err().contains("scalr"), refused.err());
    } finally {
      System.clearProperty("quern.numerics");
      System.clearProperty("quern.provider");
    }
  }

  @Test
  void aLocaleThatLosesCharactersIsNamed() {
    String[] args = {"run", "--prompt", "Gr\uFFFD\uFFFDe"};
    UserException lost =
        assertThrows(
            UserException.class, () -> Arguments.requireWhole(args, "ANSI_X3.4-1968", () -> true));
    assertTrue(lost.getMessage().contains("argument 3"), lost.getMessage());
    assertTrue(lost.getMessage().contains("ANSI_X3.4-1968"), lost.getMessage());
    assertTrue(lost.getMessage().contains("LC_ALL=C.UTF-8"), lost.getMessage());
    UserException other =
        assertThrows(UserException.class, () -> Arguments.requireWhole(args, "UTF-8", () -> false));
    assertTrue(other.getMessage().contains("is not UTF-8"), other.getMessage());
    Arguments.requireWhole(args, "UTF-8", () -> true); // who types U+FFFD means it
    Arguments.requireWhole(new String[] {"plain"}, "ANSI_X3.4-1968", () -> false);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Once", "Once\n", "Once\r\n", MARK + "Once", MARK + "Once\n"})
  void marksAndTheLastLineEndAreTheFiles(String content) throws IOException {
    Path file = Files.writeString(folder.resolve("prompt.txt"), content);
    assertEquals("Once", Quern.run("run", "-n", "0", "--file", file.toString()).out());
    assertEquals("Once", Quern.withInput(content, "run", "-n", "0").out());
    assertEquals("Once", Quern.withInput(content, "run", "-n", "0", "-f", "-").out());
    String ids = Quern.run("tokenize", "--ids", "Once").out();
    assertEquals(ids, Quern.run("tokenize", "--ids", "-f", file.toString()).out());
    assertEquals(ids, Quern.withInput(content, "tokenize", "--ids").out());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a\r\nb", "a\n\n", "\n", "a\u0000b", "a" + MARK, "\u001b]0;title\u0007", "a\rb"})
  void allElseOfAFileIsText(String content) throws IOException {
    Path file = Files.writeString(folder.resolve("prompt.txt"), content + "\n");
    Quern result = Quern.run("run", "-n", "0", "--file", file.toString());
    assertEquals(0, result.code(), result.err());
    assertEquals(content, result.out());
  }

  @ParameterizedTest
  @CsvSource({
    "61ff,1,0xFF", // no byte of UTF-8
    "EFBBBFe97a,3,0xE9", // Latin-1 after a mark
    "61E282,1,0xE2", // cut short
    "FFFE4F00,0,0xFF", // UTF-16
    "C080,0,0xC0", // a long form of NUL
    "61EDA080,1,0xED", // a surrogate
  })
  void whatIsNotUtf8IsRefusedByItsPlace(String hex, int place, String value) throws IOException {
    byte[] bytes = java.util.HexFormat.of().parseHex(hex);
    Path file = Files.write(folder.resolve("prompt.txt"), bytes);
    for (Quern result :
        List.of(
            Quern.run("run", "--file", file.toString()),
            Quern.withInput(bytes, "run"),
            Quern.withInput(bytes, "tokenize"))) {
      assertEquals(1, result.code(), result.err());
      assertTrue(result.err().contains("byte " + place + " is not UTF-8 (" + value), result.err());
      assertEquals("", result.out());
    }
  }

  @Test
  void linesKnowTheirPlace() throws IOException {
    byte[] bytes = "\uFEFFone\r\ntwo\nth\rree".getBytes(StandardCharsets.UTF_8);
    TextInput input = new TextInput(new ByteArrayInputStream(bytes), "standard input");
    assertEquals(Optional.of("one"), input.line());
    assertEquals(Optional.of("two"), input.line());
    assertEquals(Optional.of("th\rree"), input.line());
    assertEquals(Optional.empty(), input.line());

    byte[] damaged = {'a', '\n', 'b', (byte) 0xff, '\n', 'c', '\n'};
    TextInput lines = new TextInput(new ByteArrayInputStream(damaged), "standard input");
    assertEquals(Optional.of("a"), lines.line());
    UserException e = assertThrows(UserException.class, lines::line);
    assertTrue(e.getMessage().contains("byte 3 "), e.getMessage());
    assertEquals(Optional.of("c"), lines.line());
  }

  @Test
  void aTextHasABound() throws IOException {
    Path file = folder.resolve("large.txt");
    try (var channel =
        java.nio.channels.FileChannel.open(
            file,
            java.nio.file.StandardOpenOption.CREATE,
            java.nio.file.StandardOpenOption.WRITE)) {
      channel.write(java.nio.ByteBuffer.wrap(new byte[] {'x'}), (16 << 20) + 10L);
    }
    Quern result = Quern.run("run", "--file", file.toString());
    assertEquals(1, result.code(), result.err());
    assertTrue(result.err().contains("more than 16 MiB"), result.err());
  }

  @Test
  void aPromptMayBeLongerThanAnArgument() throws IOException {
    String text = "Once upon a time. ".repeat(9000);
    Path file = Files.writeString(folder.resolve("long.txt"), text);
    Quern tokens = Quern.run("tokenize", "--ids", "--file", file.toString());
    assertEquals(0, tokens.code(), tokens.err());
    Quern result = Quern.run("run", "--file", file.toString());
    assertEquals(1, result.code(), result.err()); // the demo's context has 512 positions
    assertTrue(result.err().contains("shorten the prompt"), result.err());
  }
}
