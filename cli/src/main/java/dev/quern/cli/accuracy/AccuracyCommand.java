package dev.quern.cli.accuracy;

import dev.quern.KernelOptions;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.UserException;
import dev.quern.cli.model.LoadProgressBar;
import dev.quern.cli.model.ModelOptions;
import dev.quern.cli.model.RowKernels;
import dev.quern.data.KvFormat;
import dev.quern.files.TempFolder;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.WorkerPool;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.perplexity.Divergence;
import dev.quern.llama.perplexity.Perplexity;
import dev.quern.llama.perplexity.Perplexity.Phase;
import dev.quern.llama.quantize.ModelQuantizer;
import dev.quern.llama.quantize.QuantizeOptions;
import dev.quern.llama.quantize.QuantizePlan;
import dev.quern.llama.quantize.WeightError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern accuracy`: what each scheme and group costs and saves, as a Markdown table.
@Command(
    name = "accuracy",
    description =
        "Quantizes a model in every scheme and prints a Markdown table of size, error of the weights, and how far perplexity and predictions are from the original's. With --numerics exact, nothing but the weights is rounded.")
public final class AccuracyCommand extends ConsoleCommand {
  private static final int DEFAULT_CONTEXT = 256;
  private static final int RANDOM_CHUNKS = 4;

  private static final List<QuantizeOptions> VARIANTS =
      List.of(
          QuantizeOptions.of("f16", 32),
          QuantizeOptions.of("q8_0", 32),
          QuantizeOptions.of("int8-channel", 32),
          QuantizeOptions.of("q4_0", 32),
          QuantizeOptions.of("int4-block", 32),
          QuantizeOptions.of("int4-block", 64),
          QuantizeOptions.of("int4-block", 128),
          QuantizeOptions.of("int4-block", 256));

  @Option(
      names = "--text",
      paramLabel = "FILE",
      description = "The text to predict; random tokens for a model without a vocabulary.")
  Path text;

  @Option(
      names = "--phase",
      paramLabel = "PHASE",
      description =
          "How scored tokens run, as in perplexity: prefill (in batches) or decode (one by one, as text is generated; slow). Default: ${DEFAULT-VALUE}.")
  Phase phase = Phase.PREFILL;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the random tokens. Default: ${DEFAULT-VALUE}.")
  long seed = 1;

  @Option(
      names = "--speed",
      paramLabel = "LIST",
      description =
          "Also measure how fast each runs on these providers (as --provider; auto: the best), with whatever numerics they prefer and an F16 cache: a prompt of 64 tokens and 64 more, medians of several turns.")
  String speed;

  @Option(
      names = "--turns",
      paramLabel = "N",
      description = "Turns of --speed. Default: ${DEFAULT-VALUE}.")
  int turns = 5;

  @Mixin ModelOptions modelOptions;

  public AccuracyCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    if (modelOptions.model == null) {
      throw new UserException("--model: none, expected one in F32, F16 or BF16");
    }
    if (turns < 1) {
      throw new UserException(
          String.format(Locale.ROOT, "--turns: %d, expected at least 1", turns));
    }
    try (TempFolder folder = TempFolder.create("quern-accuracy");
        Checkpoint source = Checkpoint.open(modelOptions.model)) {
      List<Row> rows = new ArrayList<>();
      try (LlamaModel original = modelOptions.load(console);
          LoadProgressBar bar = new LoadProgressBar(console, "accuracy", " schemes", 1)) {
        int context =
            modelOptions.context == 0
                ? Math.min(DEFAULT_CONTEXT, original.context())
                : modelOptions.context;
        int[] tokens = tokens(original, context);
        Perplexity own =
            Perplexity.measure(original, phase, List.of(), tokens, context, 0, chunks -> {});
        rows.add(original(source, original, own));
        for (QuantizeOptions variant : VARIANTS) {
          Path file = folder.file(rows.size() + ".gguf");
          rows.add(row(variant, source, original, tokens, context, file));
          bar.packed(rows.size() - 1, VARIANTS.size());
        }
        console
            .err()
            .printf(
                Locale.ROOT,
                "%s: %d chunks of %d tokens, %d scored in %s; %s%n",
                modelOptions.model,
                own.chunks(),
                context,
                own.scored(),
                phase.name().toLowerCase(Locale.ROOT),
                original.report().summary());
      }
      print(rows, speed == null ? List.of() : rates(rows));
    }
    return 0;
  }

  /// A line of the table.
  ///
  /// @param cells all but those of speed
  /// @param model what they are about; empty where no matrix fits
  private record Row(String cells, Optional<Path> model) {}

  private void print(List<Row> rows, List<SchemeSpeed.Rates> rates) {
    boolean timed = !rates.isEmpty();
    line(
        "| scheme | matrices, bits a weight | kept for width | weights, relative RMS | perplexity | ln of the ratio | KL mean | KL 95 %% | same likeliest | NMSE of logits | numerics in %s |%s",
        phase.name().toLowerCase(Locale.ROOT), timed ? " prefill tok/s | decode tok/s |" : "");
    line("|---|---|---|---|---|---|---|---|---|---|---|%s", timed ? "---|---|" : "");
    int next = 0;
    for (Row row : rows) {
      String speeds = "";
      if (timed && row.model().isPresent()) {
        SchemeSpeed.Rates r = rates.get(next++);
        speeds = String.format(Locale.ROOT, " %.1f | %.1f |", r.prefill(), r.decode());
      }
      console.out().println(row.cells() + speeds);
    }
  }

  private List<SchemeSpeed.Rates> rates(List<Row> rows) throws IOException {
    List<Path> models = rows.stream().map(Row::model).flatMap(Optional::stream).toList();
    LoadOptions options = modelOptions.options();
    KernelOptions kernels = options.kernels().withProvider(speed).with("quern.numerics", "any");
    try (LoadProgressBar bar = new LoadProgressBar(console, "speed", " turns", 1)) {
      return SchemeSpeed.measure(
          models, options.withKernels(kernels).withKv(KvFormat.F16), turns, bar);
    }
  }

  private Row original(Checkpoint source, LlamaModel model, Perplexity own) throws IOException {
    return new Row(
        String.format(
            Locale.ROOT,
            "| original | %.2f | | | %s | | | | | | %s |",
            bitsPerWeight(source, Optional.empty()),
            perplexity(model, own),
            numerics(model, own)),
        Optional.of(modelOptions.model));
  }

  /// Quantizes the model into a file, which is kept where speed will be measured, and measures how
  /// far it is from the original.
  private Row row(
      QuantizeOptions variant,
      Checkpoint source,
      LlamaModel original,
      int[] tokens,
      int context,
      Path file)
      throws IOException {
    QuantizePlan plan = QuantizePlan.of(source, variant);
    if (!plan.applies()) {
      return new Row(
          String.format(Locale.ROOT, "| %s | no matrix has such a width |", variant.describe()),
          Optional.empty());
    }
    double error;
    try (WorkerPool workers = new WorkerPool(original.threads())) {
      new ModelQuantizer(source, workers, bytes -> {}).write(plan, file);
      error = relativeError(file, source, workers);
    }
    String cells;
    try (LlamaModel model = LlamaModel.load(file, modelOptions.options())) {
      Perplexity p =
          Perplexity.measure(model, phase, List.of(original), tokens, context, 0, chunks -> {});
      cells =
          String.format(
              Locale.ROOT,
              "| %s | %.2f | %.1f %% | %.2e | %s | %.2e | %s |",
              variant.describe(),
              bitsPerWeight(source, Optional.of(plan)),
              100 * plan.unfitShare(),
              error,
              prediction(model, p),
              p.divergences().getFirst().nmse(),
              numerics(model, p));
    }
    if (speed == null) {
      Files.delete(file);
    }
    return new Row(cells, Optional.of(file));
  }

  /// Of all matrices together, with what the source has or a plan gives them.
  private static double bitsPerWeight(Checkpoint source, Optional<QuantizePlan> plan)
      throws IOException {
    QuantizePlan any = plan.isPresent() ? plan.get() : QuantizePlan.of(source, VARIANTS.getFirst());
    return 8.0
        * any.items().stream()
            .filter(i -> i.tensor().isMatrix())
            .mapToLong(i -> plan.isPresent() ? i.bytes() : i.sourceBytes())
            .sum()
        / any.items().stream()
            .filter(i -> i.tensor().isMatrix())
            .mapToLong(i -> i.tensor().elements())
            .sum();
  }

  /// Root of the mean over all matrices of the squared error relative to the matrix's own square.
  private static double relativeError(Path file, Checkpoint source, WorkerPool workers)
      throws IOException {
    try (Checkpoint quantized = Checkpoint.open(file)) {
      List<WeightError> errors = WeightError.between(quantized, source, workers);
      return Math.sqrt(
          errors.stream().mapToDouble(e -> e.relative() * e.relative()).average().orElse(0));
    }
  }

  private int[] tokens(LlamaModel model, int context) throws IOException {
    if (model.hasTokenizer()) {
      if (text == null) {
        throw new UserException("--text: none, expected a file, since the model has a vocabulary");
      }
      return Perplexity.tokens(model, Files.readString(text));
    }
    return new Random(seed)
        .ints((long) RANDOM_CHUNKS * context, 0, model.config().vocabulary())
        .toArray();
  }

  /// What the linear kernels that ran round.
  private static String numerics(LlamaModel model, Perplexity p) {
    return new RowKernels(model.report(), p.rows()).numerics();
  }

  private static String perplexity(LlamaModel model, Perplexity p) {
    return model.hasTokenizer()
        ? String.format(Locale.ROOT, "%.4f ± %.4f", p.value(), p.uncertainty())
        : "";
  }

  /// The columns about predictions; of random tokens they would say nothing.
  private static String prediction(LlamaModel model, Perplexity p) {
    if (!model.hasTokenizer()) {
      return " | | | | ";
    }
    Divergence d = p.divergences().getFirst();
    return String.format(
        Locale.ROOT,
        "%s | %.5f ± %.5f | %.2e ± %.0e | %.2e | %.1f %%",
        perplexity(model, p),
        d.logRatio().value(),
        d.logRatio().uncertainty(),
        d.mean().value(),
        d.mean().uncertainty(),
        d.percentile(0.95),
        100 * d.sameLikeliest());
  }

  private void line(String format, Object... values) {
    console.out().println(String.format(Locale.ROOT, format, values));
  }
}
