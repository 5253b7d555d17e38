package dev.quern.cli.bench;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.OutputFile;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.measure.synthetic.FormatMix;
import dev.quern.measure.synthetic.ModelShape;
import dev.quern.measure.synthetic.SyntheticModelFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `quern synthesize`: a model file of a real shape with random weights, to measure with.
@Command(
    name = "synthesize",
    description =
        "Writes a GGUF file of a real model's shape with random weights and a generated vocabulary, for measurements; llama.cpp loads it too.")
public final class SynthesizeCommand extends ConsoleCommand {
  /// What the vocabulary and the tensor table take at most.
  private static final long HEADER_BYTES = 16L << 20;

  @Option(
      names = "--shape",
      paramLabel = "NAME",
      required = true,
      description =
          "llama-3.2-1b, llama-3.2-3b, qwen2.5-0.5b, qwen3-0.6b, gemma-2-2b, gemma-3-1b, granite-3.1-2b, tiny, or tiny-FAMILY of qwen2, qwen3, gemma2, gemma3, granite.")
  String shape;

  @Option(
      names = "--format",
      paramLabel = "NAME",
      required = true,
      completionCandidates = Formats.class,
      description =
          "One of ${COMPLETION-CANDIDATES}; mixed as llama-quantize does (Q4_0: the output matrix is Q6_K), but for IQ4_NL, Q2_K and Q3_K_M, which have fewer formats here, and MXFP4, which llama-quantize gives to experts alone.")
  String format;

  @Option(names = "--pure", description = "All matrices in the one format.")
  boolean pure;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the weights. Default: ${DEFAULT-VALUE}.")
  long seed = 42;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE",
      required = true,
      converter = OutputFile.Name.class,
      description = "The file to write.")
  Path out;

  @Option(names = "--force", description = "Replace the file if it exists.")
  boolean force;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  /// The names that `--format` takes, for its help.
  static final class Formats implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return FormatMix.names().iterator();
    }
  }

  public SynthesizeCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    ModelShape dimensions = known("--shape", shape, ModelShape.byName(shape), ModelShape.names());
    FormatMix mix = known("--format", format, FormatMix.byName(format), FormatMix.names());
    SyntheticModelFile model = new SyntheticModelFile(dimensions, pure ? mix.pure() : mix, seed);
    OutputFile file = new OutputFile("--out", out);
    file.check(force, List.of());
    file.checkRoom(model.weightBytes() + HEADER_BYTES);
    long start = System.nanoTime();
    try (GgufWriter writer = force ? GgufWriter.create(out) : GgufWriter.createNew(out)) {
      model.write(writer);
    }
    console
        .err()
        .printf(
            Locale.ROOT,
            "%s: %s %s%s, seed %d, %d tensors, %.0f MB in %.1f s%n",
            out,
            dimensions.name(),
            mix.name(),
            pure ? " (pure)" : "",
            seed,
            model.tensorCount(),
            Files.size(out) / 1e6,
            (System.nanoTime() - start) / 1e9);
    return 0;
  }

  private <T> T known(String option, String given, Optional<T> found, List<String> names) {
    return found.orElseThrow(() ->
        new CommandLine.ParameterException(
            spec.commandLine(),
            String.format(
                Locale.ROOT,
                "%s: %s, expected one of %s",
                option,
                given,
                String.join(", ", names))));
  }
}
