package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.TextInput;
import dev.quern.cli.console.UserException;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.constrain.Constraint;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/// The options that say what generated text must be, where it ends, and how it is printed.
final class GeneratedTextOptions {
  /// One of these, or none.
  static final class Form {
    @Option(
        names = "--json-schema",
        paramLabel = "FILE",
        required = true,
        description =
            "Generate a JSON text that the schema in this file describes. Keywords that can't be kept to are refused.")
    Path jsonSchema;

    @Option(
        names = "--json-object",
        required = true,
        description = "Generate a JSON object, of any content.")
    boolean jsonObject;

    @Option(
        names = "--regex",
        paramLabel = "REGEX",
        required = true,
        description = "Generate a text that this expression matches as a whole.")
    String regex;

    @Option(
        names = "--grammar",
        paramLabel = "FILE",
        required = true,
        description =
            "Grammars in GBNF are not read: --json-schema, --json-object and --regex say what a text must be.")
    Path grammar;

    private Constraint constraint(Console console) throws IOException {
      if (grammar != null) {
        throw new UserException(
            "--grammar: grammars in GBNF are not read, expected --json-schema FILE, --json-object or --regex REGEX");
      }
      if (jsonSchema != null) {
        return Constraint.jsonSchema(TextInput.read(jsonSchema, console));
      }
      return jsonObject ? Constraint.jsonObject() : Constraint.regex(regex);
    }
  }

  @ArgGroup Form form;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description =
          "End before this text, which is not printed; may be given several times. As typed: a line end is $'\\n' in most shells.")
  List<String> stop = new ArrayList<>();

  @Option(
      names = "--raw",
      description =
          "Print to a terminal what the model says as it is. Default: control characters are shown, and not obeyed.")
  boolean raw;

  GeneratedTextOptions() {}

  GenerationOptions with(GenerationOptions options, Console console) throws IOException {
    GenerationOptions stopping = options.withStopStrings(stop);
    return form == null ? stopping : stopping.withConstraint(form.constraint(console));
  }

  /// What the form says, to tell it from others.
  String formText(Console console) throws IOException {
    if (form == null) {
      return "";
    }
    return form.jsonSchema == null
        ? form.jsonObject + " " + form.regex
        : TextInput.read(form.jsonSchema, console);
  }

  /// Where the text goes.
  PrintStream stream(Console console) {
    return raw ? console.rawOut() : console.out();
  }
}
