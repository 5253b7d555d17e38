package dev.quern.cli.model;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.WorkerPool;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufMetadata;
import dev.quern.llama.quantize.WeightError;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `quern inspect`: what a model file holds.
@Command(name = "inspect", description = "Shows the metadata and tensors of a model file.")
public final class InspectCommand extends ConsoleCommand {
  @Parameters(
      paramLabel = "PATH",
      arity = "0..1",
      description =
          "GGUF file (of shards, the first), or a model's folder. The same as --model. Default: the demo model.")
  Path file;

  @Option(
      names = "--against",
      paramLabel = "MODEL",
      description =
          "Print how far each matrix is from the same one in this model, a GGUF file or a folder (root mean square, and that relative to the weights' own), and which are equal to the byte.")
  Path against;

  @Mixin ModelOptions modelOptions;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public InspectCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    if (file != null && modelOptions.model != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "PATH and --model: two models, expected one");
    }
    Path model = file == null ? modelOptions.model : file;
    if (against != null) {
      try (Checkpoint checkpoint = model == null ? Checkpoint.openDemo() : Checkpoint.open(model)) {
        compare(checkpoint);
      }
    } else if (model != null && Files.isDirectory(model)) {
      inspectFolder(model);
    } else {
      try (GgufFile gguf = model == null ? LlamaModel.openDemo() : GgufFile.open(model)) {
        inspect(gguf);
      }
    }
    return 0;
  }

  private void inspect(GgufFile gguf) {
    GgufMetadata metadata = gguf.metadata();
    console
        .out()
        .printf(
            Locale.ROOT, "GGUF version %d, %d tensors%n%n", gguf.version(), gguf.tensors().size());
    for (String key : metadata.keys()) {
      console
          .out()
          .printf(Locale.ROOT, "%-45s %s%n", Printable.escaped(key), metadata.describe(key));
    }
    table(
        gguf.tensors().stream()
            .map(t ->
                new Row(t.name(), t.type().toString(), t.byteSize(), Arrays.toString(t.dims())))
            .toList());
  }

  private void inspectFolder(Path folder) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      console.out().println(Printable.escaped(checkpoint.config().toString()));
      table(
          checkpoint.tensors().stream()
              .map(t ->
                  new Row(
                      t.label(),
                      t.format().map(Object::toString).orElse(t.type()),
                      t.byteSize(),
                      t.dims().toString()))
              .toList());
    }
  }

  /// A line of the table; names are the file's.
  private record Row(String tensor, String format, long bytes, String dims) {
    Row {
      tensor = Printable.escaped(tensor);
      format = Printable.escaped(format);
    }
  }

  private void table(List<Row> rows) {
    console
        .out()
        .printf(Locale.ROOT, "%n%-40s %-8s %14s  %s%n", "tensor", "format", "bytes", "dimensions");
    Map<String, long[]> totals = new LinkedHashMap<>();
    for (Row row : rows) {
      console
          .out()
          .printf(
              Locale.ROOT, "%-40s %-8s %14d  %s%n", row.tensor, row.format, row.bytes, row.dims);
      long[] total = totals.computeIfAbsent(row.format, _ -> new long[2]);
      total[0]++;
      total[1] += row.bytes;
    }
    console.out().println();
    totals.forEach((format, total) ->
        console
            .out()
            .printf(Locale.ROOT, "%-8s %6d tensors %14d bytes%n", format, total[0], total[1]));
  }

  private void compare(Checkpoint file) throws IOException {
    try (Checkpoint reference = Checkpoint.open(against);
        WorkerPool workers = new WorkerPool(modelOptions.options().threads())) {
      console
          .out()
          .printf(
              Locale.ROOT,
              "%-40s %-10s %-10s %12s %10s%n",
              "tensor",
              "format",
              "against",
              "RMS",
              "relative");
      for (WeightError e : WeightError.between(file, reference, workers)) {
        console
            .out()
            .printf(
                Locale.ROOT,
                "%-40s %-10s %-10s %12.4e %10.3e%s%n",
                Printable.escaped(e.name()),
                e.format(),
                e.reference(),
                e.rms(),
                e.relative(),
                e.equalBytes() ? "  equal bytes" : "");
      }
    }
  }
}
