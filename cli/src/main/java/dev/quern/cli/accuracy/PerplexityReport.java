package dev.quern.cli.accuracy;

import dev.quern.KernelReport;
import dev.quern.cli.model.RowKernels;
import dev.quern.llama.perplexity.Divergence;
import dev.quern.llama.perplexity.Mean;
import dev.quern.llama.perplexity.Perplexity;
import dev.quern.llama.perplexity.Perplexity.Phase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What `quern perplexity` has found, for people and for programs.
///
/// @param model as messages call it
/// @param textFile the text
/// @param against the reference; null for none
/// @param measured one or both phases; in decode the first reference is the model itself
/// @param kernels of the model
record PerplexityReport(
    String model, Path textFile, Path against, List<Perplexity> measured, KernelReport kernels) {

  /// Lines with an end each.
  String lines() {
    StringBuilder out = new StringBuilder();
    for (Perplexity p : measured) {
      boolean decode = p.phase() == Phase.DECODE;
      line(
          out,
          "perplexity %.4f +/- %.5f, %s (%d chunks of %d tokens, %d scored, %s)",
          p.value(),
          p.uncertainty(),
          name(p.phase()),
          p.chunks(),
          p.context(),
          p.scored(),
          decode ? "one at a time, as text is generated" : p.rows() + " at a time, as prompts are");
      List<Divergence> divergences = p.divergences();
      if (decode) {
        divergence(out, "from its own prefill", divergences.getFirst());
        divergences = divergences.subList(1, divergences.size());
      }
      divergences.forEach(d -> divergence(out, "against " + against + " (in prefill)", d));
    }
    for (Perplexity p : measured) {
      line(out, "%s kernels: %s", name(p.phase()), new RowKernels(kernels, p.rows()).line());
    }
    return out.toString();
  }

  /// A tree for [Json].
  Map<String, Object> json() {
    Map<String, Object> phases = new LinkedHashMap<>();
    for (Perplexity p : measured) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("chunks", p.chunks());
      map.put("context", p.context());
      map.put("scored", p.scored());
      map.put("rows", p.rows());
      map.put("perplexity", mean(new Mean(p.value(), p.uncertainty())));
      List<Divergence> divergences = new ArrayList<>(p.divergences());
      if (p.phase() == Phase.DECODE) {
        map.put("fromPrefill", divergence(divergences.removeFirst()));
      }
      divergences.forEach(d -> map.put("against", divergence(d)));
      map.put("kernels", new RowKernels(kernels, p.rows()).json());
      phases.put(name(p.phase()), map);
    }
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("model", model);
    root.put("text", textFile.toString());
    root.put("against", against == null ? null : against.toString());
    root.put("phases", phases);
    return root;
  }

  private static String name(Phase phase) {
    return phase.name().toLowerCase(Locale.ROOT);
  }

  private static void divergence(StringBuilder out, String title, Divergence d) {
    line(out, "  %s", title);
    line(out, "    its perplexity       %.4f", d.referencePerplexity());
    line(
        out,
        "    ln of the ratio      %.6f +/- %.6f",
        d.logRatio().value(),
        d.logRatio().uncertainty());
    line(
        out,
        "    KL divergence        mean %s +/- %s, median %s, 90 %% %s, 95 %% %s, 99 %% %s, largest %s",
        small(d.mean().value()),
        small(d.mean().uncertainty()),
        small(d.percentile(0.5)),
        small(d.percentile(0.9)),
        small(d.percentile(0.95)),
        small(d.percentile(0.99)),
        small(d.percentile(1)));
    line(out, "    same likeliest token %.2f %%", 100 * d.sameLikeliest());
    line(out, "    probability          RMS difference %.3f %%", 100 * d.probability());
    line(out, "    NMSE of the logits   %.3e", d.nmse());
  }

  /// Divergences of kernels are a thousandth of those of formats, and would all be 0.0000.
  private static String small(double nats) {
    boolean tiny = nats != 0 && Math.abs(nats) < 1e-3;
    return String.format(Locale.ROOT, tiny ? "%.2e" : "%.6f", nats);
  }

  private static Map<String, Object> divergence(Divergence d) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("perplexity", d.referencePerplexity());
    map.put("logRatio", mean(d.logRatio()));
    map.put("klDivergence", mean(d.mean()));
    for (int percent : new int[] {50, 90, 95, 99, 100}) {
      map.put("klPercentile" + percent, d.percentile(percent / 100.0));
    }
    map.put("sameLikeliest", d.sameLikeliest());
    map.put("probabilityRms", d.probability());
    map.put("logitsNmse", d.nmse());
    return map;
  }

  private static Map<String, Object> mean(Mean mean) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("value", mean.value());
    map.put("uncertainty", Double.isNaN(mean.uncertainty()) ? null : mean.uncertainty());
    return map;
  }

  private static void line(StringBuilder out, String format, Object... values) {
    out.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
  }
}
