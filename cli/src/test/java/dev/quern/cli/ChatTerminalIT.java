package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `./quern chat` on a terminal: Python makes the pseudo-terminal, and types.
class ChatTerminalIT {
  /// Words: what to type and what to wait for, in turn, then `--` and the command. A time-out shows
  /// as a line of its own; the last line is the exit code.
  private static final String TYPIST =
      """
      import codecs, fcntl, os, pty, select, signal, struct, sys, termios, time
      split = sys.argv.index('--')
      steps, command = sys.argv[1:split], sys.argv[split + 1:]
      pid, terminal = pty.fork()
      if pid == 0:
          signal.signal(signal.SIGINT, signal.SIG_DFL)  # which a job in the background ignores
          os.execvp(command[0], command)
      fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 120, 0, 0))
      seen = b''
      def until(text):
          global seen
          end = time.time() + 60
          while text not in seen:
              if time.time() > end:
                  print('TIMEOUT waiting for', text, 'in', seen)
                  sys.exit(9)
              if select.select([terminal], [], [], 0.1)[0]:
                  try:
                      more = os.read(terminal, 65536)
                  except OSError:
                      more = b''
                  if not more:
                      return
                  seen += more
                  sys.stdout.buffer.write(more)
                  sys.stdout.buffer.flush()
          seen = seen[seen.index(text) + len(text):]
      until(b'> ')
      for typed, text in zip(steps[::2], steps[1::2]):
          os.write(terminal, codecs.decode(typed, 'unicode_escape').encode('latin-1'))
          until(codecs.decode(text, 'unicode_escape').encode('latin-1'))
      until(b'what never comes: it reads to the end')
      print('exit', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
      """;

  /// What the editor sends when it takes a line: a reply has ended.
  private static final String PROMPT = "\\x1b[?2004h";

  @TempDir static Path folder;
  private static Path home;

  @BeforeAll
  static void make() throws IOException {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/python3")),
        "no /usr/bin/python3 here: chat on a terminal is not tested");
    home = LauncherHome.in(folder);
  }

  private static Child chat(String terminal, List<String> steps, String... options)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "env",
                "TERM=" + terminal,
                "JAVA_HOME=" + System.getProperty("java.home"),
                "XDG_STATE_HOME=" + folder.resolve("state"),
                "/usr/bin/python3",
                "-c",
                TYPIST));
    command.addAll(steps);
    command.addAll(List.of("--", home.resolve("quern").toString(), "chat"));
    command.addAll(List.of(options));
    return Child.run(folder, command);
  }

  @Test
  void aConversationIsEditedStoppedAndSaved() throws IOException {
    Child child =
        chat(
            "xterm",
            List.of(
                "the dax\\x7fy\\r",
                "\\x1b[?2004l", // the line is taken
                "",
                "e", // of the reply
                "\\x03",
                "quern: stopped",
                "",
                PROMPT,
                "/save talk.json\\r",
                "2 messages",
                "",
                PROMPT,
                "\\x03",
                "Ctrl-C once more",
                "",
                PROMPT,
                "\\x04",
                "\\x1b[?2004l"),
            "-n",
            "480",
            "--provider",
            "scalar");
    assertTrue(child.out().endsWith("exit 0\n"), child.out() + child.err());
    assertFalse(child.out().contains("load "), "no metrics: " + child.out());
    String talk = Files.readString(folder.resolve("talk.json"));
    assertTrue(talk.contains("\"the day\""), talk);
    Path history = folder.resolve("state/quern/chat-history");
    assertTrue(Files.readString(history).contains(":the day\n"), Files.readString(history));
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(history)));
  }

  @Test
  void aTerminalWithoutACursorHasLines() throws IOException {
    Child child =
        chat("dumb", List.of("the day\\r", "\\n> ", "/exit\\r", "exit"), "-n", "4", "--no-history");
    assertTrue(child.out().endsWith("exit 0\n"), child.out() + child.err());
    assertFalse(child.out().contains("\u001b["), child.out());
    assertFalse(child.out().toLowerCase(Locale.ROOT).contains("jline"), child.out());
  }

  @Test
  void nothingIsKeptWhereNothingShallBe() throws IOException {
    Path history = folder.resolve("state/quern/chat-history");
    final byte[] before = Files.exists(history) ? Files.readAllBytes(history) : new byte[0];
    Child child =
        chat(
            "xterm",
            List.of("a secret\\r", PROMPT, "/exit\\r", "\\x1b[?2004l"),
            "-n",
            "4",
            "--no-history");
    assertTrue(child.out().endsWith("exit 0\n"), child.out() + child.err());
    byte[] after = Files.exists(history) ? Files.readAllBytes(history) : new byte[0];
    assertArrayEquals(before, after);
  }
}
