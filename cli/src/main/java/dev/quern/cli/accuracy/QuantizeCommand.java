package dev.quern.cli.accuracy;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.OutputFile;
import dev.quern.cli.console.UserException;
import dev.quern.cli.model.LoadProgressBar;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.WorkerPool;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.quantize.ModelQuantizer;
import dev.quern.llama.quantize.QuantizeOptions;
import dev.quern.llama.quantize.QuantizePlan;
import dev.quern.llama.quantize.WeightScheme;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `quern quantize`: a model with fewer bits a weight.
@Command(
    name = "quantize",
    description =
        "Writes a model anew with its matrices in fewer bits. Norms stay as they are, and so does a matrix whose rows are no multiple of the scheme's block; the summary says what share that is.")
public final class QuantizeCommand extends ConsoleCommand {
  /// What metadata and the tensor table may take; Llama 3's vocabulary takes 8 MB.
  private static final long HEADER_BYTES = 32L << 20;

  @Option(
      names = "--in",
      paramLabel = "MODEL",
      required = true,
      description =
          "Model in F32, F16 or BF16: a GGUF file (of shards, the first), or a folder with config.json, tokenizer.json and safetensors.")
  Path in;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE",
      required = true,
      converter = OutputFile.Name.class,
      description = "The file to write.")
  Path out;

  @Option(
      names = "--scheme",
      paramLabel = "NAME",
      required = true,
      description =
          "int4-block (blocks of --group int4 values with a BF16 scale; classifier and embedding int8-channel), q4_0 (as llama-quantize: the classifier is q6_k, or q8_0 where its width is no multiple of 256), q8_0, int8-channel, q6_k, f16 or bf16.")
  String scheme;

  @Option(
      names = "--group",
      paramLabel = "N",
      description = "Weights of a block of int4-block: 32, 64, 128 or 256. Default: 32.")
  Integer group;

  @Option(
      names = "--classifier",
      paramLabel = "NAME",
      description = "Scheme of the output matrix. Default: see --scheme.")
  String classifier;

  @Option(
      names = "--embedding",
      paramLabel = "NAME",
      description =
          "Scheme of the embedding matrix. Where it is the output matrix too, either option speaks for both. Default: see --scheme.")
  String embedding;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description =
          "Threads. Default: the physical cores that the process may use, or what its CPU quota comes to.")
  Integer threads;

  @Option(names = "--force", description = "Replace the file if it exists.")
  boolean force;

  public QuantizeCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    QuantizeOptions options = options();
    LoadOptions defaults = LoadOptions.defaults();
    int parallelism =
        threads == null ? defaults.threads() : defaults.withThreads(threads).threads();
    long start = System.nanoTime();
    try (Checkpoint source = Checkpoint.open(in);
        WorkerPool workers = new WorkerPool(parallelism);
        LoadProgressBar bar = LoadProgressBar.ofBytes(console, "quantizing")) {
      QuantizePlan plan = QuantizePlan.of(source, options);
      OutputFile file = new OutputFile("--out", out);
      file.check(force, Stream.concat(Stream.of(in), source.files().stream()).toList());
      file.checkRoom(plan.bytes() + HEADER_BYTES);
      try (GgufWriter writer = force ? GgufWriter.create(out) : GgufWriter.createNew(out)) {
        new ModelQuantizer(source, workers, done -> bar.packed(done, plan.bytes()))
            .write(plan, writer);
      }
      print(plan, (System.nanoTime() - start) / 1e9);
    }
    return 0;
  }

  private QuantizeOptions options() {
    WeightScheme named = WeightScheme.of(scheme);
    Optional<WeightScheme> output = Optional.ofNullable(classifier).map(WeightScheme::of);
    Optional<WeightScheme> input = Optional.ofNullable(embedding).map(WeightScheme::of);
    boolean grouped =
        named.takesGroup()
            || output.filter(WeightScheme::takesGroup).isPresent()
            || input.filter(WeightScheme::takesGroup).isPresent();
    if (group != null && !grouped) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "--group: %d, expected none: only int4-block has blocks of different sizes",
              group));
    }
    return new QuantizeOptions(
        named, group == null ? WeightScheme.DEFAULT_GROUP : group, output, input);
  }

  /// A line for each format, one on what the width forbade, and one on the whole.
  private void print(QuantizePlan plan, double seconds) throws IOException {
    Map<String, long[]> formats = new TreeMap<>(); // tensors, weights, bytes
    for (QuantizePlan.Item item : plan.items()) {
      String change =
          item.kept()
              ? String.format(
                  Locale.ROOT, "%s, kept%s", item.format(), item.unfit() ? " for its width" : "")
              : String.format(Locale.ROOT, "%s to %s", item.source(), item.format());
      long[] sums = formats.computeIfAbsent(change, _ -> new long[3]);
      sums[0]++;
      sums[1] += item.tensor().elements();
      sums[2] += item.bytes();
    }
    formats.forEach((change, sums) ->
        console
            .out()
            .printf(
                Locale.ROOT,
                "%-28s %5d tensors %14d weights %14d bytes%n",
                change,
                sums[0],
                sums[1],
                sums[2]));
    console
        .out()
        .printf(
            Locale.ROOT,
            "%s: %s; %.1f %% of the matrices' weights keep their format for their width%n",
            out,
            plan.options().describe(),
            100 * plan.unfitShare());
    if (!hasVocabulary()) {
      console
          .out()
          .printf(
              Locale.ROOT,
              "%s has no vocabulary, as the model has none that Quern reads (tokenizer.json)%n",
              out);
    }
    console
        .err()
        .printf(
            Locale.ROOT,
            "%.1f MB, from %.1f MB of weights, in %.1f s%n",
            Files.size(out) / 1e6,
            plan.sourceBytes() / 1e6,
            seconds);
  }

  private boolean hasVocabulary() throws IOException {
    try (GgufFile made = GgufFile.open(out)) {
      return made.metadata().has("tokenizer.ggml.tokens");
    }
  }
}
