package dev.quern.cli.model;

import dev.quern.Choice;
import dev.quern.KernelReport;
import dev.quern.ProviderEntry;
import dev.quern.Refusal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Who runs what, and why not someone else, as a tree for JSON.
public final class KernelTable {
  private static final int DECODE_ROWS = 1;

  private KernelTable() {}

  /// The selection in effect, each provider with its verdict, and each spec with who runs its
  /// decoding, and who was asked before and refused.
  public static Map<String, Object> json(KernelReport report) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("selection", report.selection());
    json.put("providers", report.providers().stream().map(KernelTable::provider).toList());
    List<Map<String, Object>> kernels = new ArrayList<>(new RowKernels(report, DECODE_ROWS).json());
    for (int i = 0; i < kernels.size(); i++) {
      Choice choice = report.choices().get(i);
      kernels.get(i).put("refusals", choice.refusals().stream().map(KernelTable::refusal).toList());
    }
    json.put("kernels", kernels);
    return json;
  }

  private static Map<String, Object> provider(ProviderEntry entry) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", entry.name());
    json.put("ready", entry.ready());
    json.put("verdict", entry.verdict().text());
    return json;
  }

  private static Map<String, Object> refusal(Refusal refusal) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("provider", refusal.provider());
    json.put("reason", refusal.reason());
    return json;
  }
}
