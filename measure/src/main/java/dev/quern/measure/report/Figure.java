package dev.quern.measure.report;

import java.util.OptionalDouble;

/// What is reported of every run.
public enum Figure {
  PREFILL("Prefill", "tokens/s", "prefillTokensPerSecond", 1, true),
  DECODE("Decode", "tokens/s", "decodeTokensPerSecond", 1, true),
  FIRST_TOKEN("Time to first token", "ms", "timeToFirstTokenSeconds", 1e3, false),
  PEAK_MEMORY("Peak resident memory", "MiB", "peakResidentBytes", 0x1p-20, false),
  FILE_SIZE("File size", "MiB", "fileBytes", 0x1p-20, false);

  private final String title;
  private final String unit;
  private final String field;
  private final double scale;
  private final boolean moreIsBetter;

  Figure(String title, String unit, String field, double scale, boolean moreIsBetter) {
    this.title = title;
    this.unit = unit;
    this.field = field;
    this.scale = scale;
    this.moreIsBetter = moreIsBetter;
  }

  public String title() {
    return title;
  }

  public String unit() {
    return unit;
  }

  public boolean moreIsBetter() {
    return moreIsBetter;
  }

  /// The figure in its unit; empty where the system does not tell, or the demo model has none.
  OptionalDouble of(Run run) {
    OptionalDouble value = run.number(field);
    return value.isPresent() ? OptionalDouble.of(value.getAsDouble() * scale) : value;
  }
}
