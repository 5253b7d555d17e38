package dev.quern.cli.text;

import dev.quern.Operator;
import dev.quern.llama.Generation;
import dev.quern.llama.KernelProfile;
import java.util.Locale;

/// The share of each operator in a generation's two phases, as a table for people.
final class ProfileText {
  private ProfileText() {}

  static String of(KernelProfile profile, Generation generation) {
    double prompt = generation.timeToFirstTokenSeconds();
    if (Double.isNaN(prompt)) {
      prompt = generation.prefillSeconds();
    }
    double decode = generation.decodeTokens() == 0 ? Double.NaN : generation.decodeSeconds();
    StringBuilder out = new StringBuilder();
    line(out, "operator", "to the first token", "decoding");
    double promptKernels = 0;
    double decodeKernels = 0;
    for (Operator<?, ?> operator : Operator.values()) {
      double inPrompt = profile.promptNanos(operator) / 1e9;
      double inDecode = profile.nanos(operator) / 1e9 - inPrompt;
      line(out, operator.id(), share(inPrompt, prompt), share(inDecode, decode));
      promptKernels += inPrompt;
      decodeKernels += inDecode;
    }
    line(
        out,
        "outside kernels",
        share(prompt - promptKernels, prompt),
        share(decode - decodeKernels, decode));
    return out.toString();
  }

  private static String share(double seconds, double all) {
    return Double.isNaN(all)
        ? "none"
        : String.format(Locale.ROOT, "%.1f %% %10.3f s", 100 * seconds / all, seconds);
  }

  private static void line(StringBuilder out, String what, String prompt, String decode) {
    out.append(String.format(Locale.ROOT, "%-16s %22s %22s%n", what, prompt, decode));
  }
}
