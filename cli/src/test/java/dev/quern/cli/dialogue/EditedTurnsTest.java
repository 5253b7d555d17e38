package dev.quern.cli.dialogue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.StandardStream;
import dev.quern.cli.console.UserException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.ExternalTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What is typed, on a terminal that is a pair of streams.
@Timeout(60)
class EditedTurnsTest {
  private static final Commands COMMANDS =
      new Commands(List.of("/clear", "/save", "/system"), List.of("/save"));

  @TempDir Path folder;

  private final Keys keys = new Keys();
  private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private EditedTurns turns;

  @BeforeEach
  void open() throws IOException {
    turns = turns(keys, Optional.empty());
  }

  @AfterEach
  void close() throws IOException {
    turns.close();
  }

  private EditedTurns turns(InputStream in, Optional<Path> history) throws IOException {
    Console console =
        new Console(
            InputStream.nullInputStream(),
            new ByteArrayOutputStream(),
            err,
            StandardStream.TERMINAL,
            StandardStream.FILE);
    Terminal terminal = new ExternalTerminal("test", "xterm", in, screen, StandardCharsets.UTF_8);
    return new EditedTurns(terminal, console, COMMANDS, history);
  }

  private Optional<String> typed(String text) throws IOException {
    keys.type(text);
    return turns.next();
  }

  private void says(String expected, String text) throws IOException {
    assertEquals(Optional.of(expected), typed(text));
  }

  @Test
  void aLineIsEdited() throws IOException {
    says("Hello", "Hello\r");
    says("Grün 日本", "Grüx\u007fn 日本\r");
    says("abc", "ac\u001bODb\r"); // back, b
    says("Hello!", "\u001bOA\u001bOA\u001bOA!\r"); // earlier lines
    says("", "\r");
  }

  @Test
  void nothingTypedIsMoreThanText() throws IOException {
    says("before", "before\r");
    says("what!! and !$ \"quoted\" \\n 'x", "what!! and !$ \"quoted\" \\n 'x\r");
    says("C:\\dir", "C:\\dir\r");
  }

  @Test
  void severalLinesAreOneTurn() throws IOException {
    says("one\ntwo\nthree", "one\\\rtwo\\\rthree\r");
    says("a\n\n b\\", "\"\"\"\ra\r\r b\\\r\"\"\"\r");
    says("x\ny", "\"\"\"x\ry\"\"\"\r");
    says("", "\"\"\"\"\"\"\r");
  }

  @Test
  void pastedTextStaysAsItIs() throws IOException {
    says("p1\np2\\\n\"\"\"p3\n", "\u001b[200~p1\np2\\\n\"\"\"p3\n\u001b[201~\r");
  }

  @Test
  void commandsAndFilesAreCompleted() throws IOException {
    says("/clear ", "/cl\t\r");
    Files.writeString(folder.resolve("talk.json"), "");
    says("/save " + folder + "/talk.json ", "/save " + folder + "/ta\t\r");
    says("/system " + folder + "/ta", "/system " + folder + "/ta\t\r");
  }

  @Test
  void controlDEndsTheConversation() throws IOException {
    assertEquals(Optional.empty(), typed("\u0004"));
  }

  @Test
  void controlCDropsTheLineThenHintsThenEnds() throws Exception {
    Thread typist =
        Thread.ofPlatform()
            .start(() -> {
              awaitPrompts(1);
              keys.type("half a line");
              await("half a line"); // a signal would overtake it
              keys.type("\u0003");
              awaitPrompts(2);
              keys.type("\u0003");
              awaitPrompts(3);
              keys.type("x\r");
            });
    assertEquals(Optional.of("x"), turns.next());
    typist.join();
    assertEquals(1, err().lines().count(), err());
    assertTrue(err().startsWith("quern: Ctrl-C once more"), err());

    Thread again =
        Thread.ofPlatform()
            .start(() -> {
              awaitPrompts(4);
              keys.type("\u0003");
              awaitPrompts(5);
              keys.type("\u0003");
            });
    assertEquals(Optional.empty(), turns.next());
    again.join();
    assertEquals(2, err().lines().count(), "a line between them: " + err());
  }

  /// Each prompt begins with this.
  private void awaitPrompts(int count) {
    String begin = "\u001b[?2004h";
    while (screen.toString(StandardCharsets.UTF_8).split(Pattern.quote(begin), -1).length
        <= count) {
      Thread.yield();
    }
  }

  private void await(String text) {
    while (!screen.toString(StandardCharsets.UTF_8).contains(text)) {
      Thread.yield();
    }
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void controlCStopsWhatRunsAndNothingElse() throws Exception {
    CountDownLatch stopped = new CountDownLatch(1);
    turns.during(
        stopped::countDown,
        () -> {
          try {
            keys.type("\u0003");
            assertTrue(stopped.await(30, TimeUnit.SECONDS), "nobody was told");
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    says("on", "on\r");
    assertFalse(err().contains("Ctrl-C"), err());
  }

  @Test
  void whatIsNoTextIsRefused() throws IOException {
    keys.type(new byte[] {'b', (byte) 0xe9, '\r'});
    UserException refused = assertThrows(UserException.class, () -> turns.next());
    assertTrue(refused.getMessage().contains("not UTF-8"), refused.getMessage());
    says("good", "good\r");
  }

  @Test
  void historyOutlivesTheConversation() throws IOException {
    Path file = folder.resolve("state/history");
    HistoryFile.makePrivate(file);
    Keys first = new Keys();
    try (EditedTurns one = turns(first, Optional.of(file))) {
      first.type("earlier\r two\\\rlines\r not this\r");
      for (int i = 0; i < 3; i++) {
        one.next();
      }
    }
    HistoryFile.makePrivate(file);
    Keys second = new Keys();
    try (EditedTurns two = turns(second, Optional.of(file))) {
      second.type("\u001bOA\r");
      assertEquals(Optional.of("earlier"), two.next(), "what begins with a blank is not kept");
    }
  }

  /// A keyboard. Pipes of the JDK end with the thread that has written to them.
  private static final class Keys extends InputStream {
    private final BlockingQueue<Byte> typed = new LinkedBlockingQueue<>();

    void type(String text) {
      type(text.getBytes(StandardCharsets.UTF_8));
    }

    void type(byte[] bytes) {
      for (byte b : bytes) {
        typed.add(b);
      }
    }

    @Override
    public int read() throws IOException {
      try {
        return Byte.toUnsignedInt(typed.take());
      } catch (InterruptedException e) {
        throw new InterruptedIOException();
      }
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
      bytes[from] = (byte) read(); // no more than that: it would wait for the next key
      return 1;
    }

    @Override
    public int available() {
      return typed.size();
    }
  }
}
