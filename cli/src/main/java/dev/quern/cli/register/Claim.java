package dev.quern.cli.register;

import dev.quern.spi.Jit;
import dev.quern.spi.Platform;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A report to the register: what a provider is said to keep, on which machine, by which suite.
/// docs/register.md describes the file.
///
/// @param spec SPEC.md's version, as people write it
/// @param suite what judged
/// @param machine where
/// @param provider what was judged
/// @param run how much was tried
/// @param results every check on every kind of spec that a kernel was called for, and what the
///   offers keep
/// @param findings one replay line for each check that was broken
/// @param waivers those that excuse one of the findings
public record Claim(
    String spec,
    SuiteHash suite,
    Machine machine,
    Provider provider,
    Run run,
    List<Result> results,
    List<Finding> findings,
    List<Waiver> waivers) {
  /// The version of the file's keys.
  static final int FORMAT = 1;

  public Claim {
    results = List.copyOf(results);
    findings = List.copyOf(findings);
    waivers = List.copyOf(waivers);
  }

  /// Where it was judged.
  ///
  /// @param cpu the CPU's features as Quern detects them, less what a mask took away; sorted
  /// @param flags the JVM's flags that decide what becomes of hot code
  public record Machine(
      String os,
      String arch,
      List<String> cpu,
      Jit jit,
      String jdk,
      String vm,
      int processors,
      Map<String, String> flags) {
    public Machine {
      cpu = List.copyOf(cpu);
      flags = Map.copyOf(flags);
    }

    /// What the provider's declaration is asked about.
    public Platform platform() {
      return new Platform(os, arch, Set.copyOf(cpu), jit, Set.of("java.base"), Map.of(), flags);
    }
  }

  /// What was judged.
  ///
  /// @param type its class
  /// @param detail what it said when it was opened: `512-bit vectors`
  /// @param files its own JAR or folder of classes first, then others that it was given
  /// @param declares its declaration, line by line
  public record Provider(
      String name,
      String version,
      String type,
      String detail,
      List<HashedFile> files,
      List<String> declares) {
    public Provider {
      files = List.copyOf(files);
      declares = List.copyOf(declares);
    }
  }

  /// @param name without its folder, which is nobody's business
  /// @param sha256 of its content: see [ContentHash]
  public record HashedFile(String name, String sha256) {}

  /// @param tries generated cases of each check
  public record Run(int tries, long seed, Instant when) {}

  /// The cases of a check on a kind of spec.
  ///
  /// @param operator `linear`, and `provider` for the rules of no operator
  /// @param subject `Q4_0 int8-sym-32`
  /// @param check `L5_exact_f32`
  public record Result(String operator, String subject, String check, Count count) {
    /// The rule's number.
    String rule() {
      return check.substring(0, check.indexOf('_'));
    }

    /// For people: `linear Q4_0 exact-f32 L5_exact_f32`.
    String title() {
      return operator + " " + subject + " " + check;
    }
  }

  /// Cases, by what became of them.
  public record Count(long passed, long failed, long declined, long skipped) {
    long all() {
      return passed + failed + declined + skipped;
    }
  }

  /// The smallest case that breaks a check.
  ///
  /// @param replay what `quern conformance --replay` takes
  /// @param what where, what was expected and what was found
  public record Finding(
      String operator, String subject, String check, String replay, String what) {}
}
