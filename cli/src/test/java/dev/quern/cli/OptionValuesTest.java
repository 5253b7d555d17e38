package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.StandardStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/// Every option of a command with values that nobody means: all end in one line, none in a stack
/// trace.
class OptionValuesTest {
  private static final List<String> VALUES = List.of("-1", "0", "2147483647", "NaN", "");

  /// What writes files, and what has files of its own to read or to write, is tested where it is.
  private static final Set<String> LEFT_OUT =
      Set.of("--help", "--version", "-D", "--json", "--html", "--svg", "--stats-json");

  static Stream<List<String>> commands() {
    return Stream.of(
        List.of("run", "--prompt", "x", "-n", "1"),
        List.of("chat", "-n", "1"),
        List.of("tokenize", "x"),
        List.of("logits", "--tokens", "1"),
        List.of("inspect"),
        List.of("explain"),
        List.of("perplexity", "--text", "pom.xml", "--chunks", "1"),
        List.of("bench", "--prompt-tokens", "2", "-n", "2", "-r", "1", "--warmup", "0"),
        List.of("quantize", "--in", "absent", "--out", "absent", "--scheme", "q8_0"),
        List.of("synthesize", "--shape", "absent", "--format", "Q4_0", "--out", "absent"));
  }

  @ParameterizedTest
  @MethodSource("commands")
  void noValueIsADefect(List<String> command) {
    for (String option : options(command.getFirst())) {
      for (String value : VALUES) {
        if (option.equals("--repetitions") && value.equals("2147483647")) {
          continue; // it would be done
        }
        List<String> words = new ArrayList<>(without(option, command));
        words.add(option + "=" + value);
        Quern result = Quern.withInput("the day\n", words.toArray(String[]::new));
        assertTrue(result.code() >= 0 && result.code() <= 2, () -> words + " " + result);
        assertFalse(result.err().contains("\tat "), () -> words + " " + result);
        if (result.code() == 2) {
          assertTrue(result.err().startsWith("quern: "), () -> words + " " + result);
        }
      }
    }
  }

  /// Those with a value, by their longest names.
  private static List<String> options(String command) {
    return spec(command).options().stream()
        .filter(o -> o.arity().max() > 0)
        .map(CommandLine.Model.OptionSpec::longestName)
        .filter(o -> !LEFT_OUT.contains(o))
        .toList();
  }

  /// The command less what it says of that option.
  private static List<String> without(String option, List<String> command) {
    List<String> names = List.of(spec(command.getFirst()).findOption(option).names());
    List<String> words = new ArrayList<>();
    for (int i = 0; i < command.size(); i++) {
      if (names.contains(command.get(i))) {
        i++; // its value
      } else {
        words.add(command.get(i));
      }
    }
    return words;
  }

  private static CommandLine.Model.CommandSpec spec(String command) {
    Console console =
        new Console(
            InputStream.nullInputStream(),
            OutputStream.nullOutputStream(),
            OutputStream.nullOutputStream(),
            StandardStream.CLOSED,
            StandardStream.FILE);
    return Main.commandLine(new String[] {command}, console)
        .getSubcommands()
        .get(command)
        .getCommandSpec();
  }
}
