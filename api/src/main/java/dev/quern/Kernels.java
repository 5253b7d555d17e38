package dev.quern;

import dev.quern.checked.Site;
import dev.quern.discovery.Guard;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Variant;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;

/// The kernels of an application: finds the providers, and for each spec chooses one, once. What it
/// returns is checked: a wrong argument fails here with one line, and never inside a provider.
///
/// Which providers run is the user's business (`quern.provider` and its kin, see [KernelOptions]);
/// what was asked for runs, or an exception says why it can't. Thread-safe.
///
/// What the providers opened is closed with it. Kernels and packers that were taken from it must
/// not be used after: they throw an [IllegalStateException].
///
/// @since 0.1
/// @stability api
public final class Kernels implements AutoCloseable {
  private static final Logger LOG = System.getLogger("dev.quern");

  private record Key(Operator<?, ?> operator, Object spec) {}

  /// A choice that was made.
  private static final class Slot {
    private final Object kernel;
    private final Choice choice;
    private int uses;

    Slot(Object kernel, Choice choice) {
      this.kernel = kernel;
      this.choice = choice;
    }
  }

  private final SelectionSettings settings;
  private final Catalog catalog;
  private final Candidates candidates;
  private final Selfcheck selfcheck;
  private final Guard guard;

  /// Written under `slots`; every kernel looks at it.
  private final AtomicBoolean closed = new AtomicBoolean();

  /// In the order of the first request; guarded by itself, since specs are asked for at load only.
  private final Map<Key, Slot> slots = new LinkedHashMap<>();

  /// Guarded by `slots`.
  private final Set<String> warned = new HashSet<>();

  /// Providers that gave no answer once, and are not waited for again. Guarded by `slots`.
  private final Set<String> silent = new HashSet<>();

  private Kernels(
      SelectionSettings settings,
      Catalog catalog,
      Candidates candidates,
      Selfcheck selfcheck,
      Guard guard) {
    this.selfcheck = selfcheck;
    this.guard = guard;
    this.settings = settings;
    this.catalog = catalog;
    this.candidates = candidates;
  }

  /// Finds providers for this machine, as the system properties ask.
  ///
  /// @throws SelectionException as [#load(KernelOptions)] says
  public static Kernels load() {
    return load(KernelOptions.fromSystem());
  }

  /// Finds providers.
  ///
  /// Each provider that is left out and needn't be, and each property that looks misspelt, is one
  /// warning of the logger `dev.quern`; at level DEBUG it also gets the whole table.
  ///
  /// @throws SelectionException if a property is malformed (the message says how to write it), if
  ///   what was asked for can't run (the message holds the whole table), or if the results of
  ///   `quern selfcheck` can't be read (see [Selfcheck])
  public static Kernels load(KernelOptions options) {
    return load(options, Guard.DEFAULT);
  }

  static Kernels load(KernelOptions options, Guard guard) {
    SelectionSettings settings = SelectionSettings.parse(options);
    Catalog catalog = Catalog.scan(options, guard);
    try {
      return load(options, settings, catalog, guard);
    } catch (Throwable t) { // rethrown: only what was opened here is closed
      catalog.close();
      throw t;
    }
  }

  private static Kernels load(
      KernelOptions options, SelectionSettings settings, Catalog catalog, Guard guard) {
    SelectionSettings.nearMisses(
            options,
            catalog.entries().stream().map(ProviderEntry::name).collect(Collectors.toSet()))
        .forEach(Kernels::warn);
    Candidates candidates = Candidates.resolve(settings, catalog);
    candidates.warnings().forEach(Kernels::warn);
    Kernels kernels = new Kernels(settings, catalog, candidates, Selfcheck.read(options), guard);
    LOG.log(Level.DEBUG, () -> kernels.report().text());
    return kernels;
  }

  /// The packer for a linear operator.
  ///
  /// @throws SelectionException if no provider takes the spec, as for all operators
  /// @throws IllegalStateException if this is closed, as for all operators
  public LinearPacker linear(LinearSpec spec) {
    return choose(Operator.LINEAR, settings.restrict(spec));
  }

  /// The kernel for an attention operator.
  public AttentionKernel attention(AttentionSpec spec) {
    return choose(Operator.ATTENTION, spec);
  }

  /// The kernel for an RMSNorm operator.
  public RmsNormKernel rmsNorm(RmsNormSpec spec) {
    return choose(Operator.RMSNORM, spec);
  }

  /// The kernel for a RoPE operator.
  public RopeKernel rope(RopeSpec spec) {
    return choose(Operator.ROPE, spec);
  }

  /// The kernel for a SwiGLU operator.
  public SwiGluKernel swiGlu(SwiGluSpec spec) {
    return choose(Operator.SWIGLU, spec);
  }

  /// Closes what the providers opened, once no call of a kernel that was taken from here and no
  /// `pack` runs. The memory of weights stays: it is the caller's. [#report()] still answers;
  /// closing again does nothing.
  @Override
  public void close() {
    synchronized (slots) {
      closed.set(true);
    }
    catalog.close();
  }

  /// What was found and chosen so far.
  public KernelReport report() {
    List<Choice> choices;
    synchronized (slots) {
      choices =
          slots.values().stream()
              .map(s ->
                  new Choice(
                      s.choice.operator(),
                      s.choice.spec(),
                      s.uses,
                      s.choice.provider(),
                      s.choice.variants(),
                      s.choice.refusals()))
              .toList();
    }
    return new KernelReport(catalog.platform(), settings.text(), catalog.entries(), choices);
  }

  private <S, K> K choose(Operator<S, K> operator, S spec) {
    Objects.requireNonNull(spec, "spec");
    synchronized (slots) {
      if (closed.get()) {
        throw new IllegalStateException(operator + ": these Kernels are closed");
      }
      Key key = new Key(operator, spec);
      Slot slot = slots.get(key);
      if (slot == null) {
        slot = decide(operator, spec);
        slots.put(key, slot);
      }
      slot.uses++;
      return operator.kernelType().cast(slot.kernel);
    }
  }

  private <S, K> Slot decide(Operator<S, K> operator, S spec) {
    List<Refusal> refusals = new ArrayList<>();
    List<String> wrong = new ArrayList<>(); // warnings that wait for who runs it instead
    for (Map.Entry<String, KernelSet> e : candidates.byOperator().get(operator).entrySet()) {
      String name = e.getKey();
      switch (answer(name, e.getValue(), operator, spec)) {
        case Answer.Took<K>(K kernel, List<Variant> variants) -> {
          Optional<String> forbidden = settings.forbids(variants);
          if (forbidden.isPresent()) {
            refusals.add(new Refusal(name, forbidden.get()));
            continue;
          }
          Optional<String> declined =
              selfcheck.declines(catalog.readyEntry(name), operator, spec, variants);
          if (declined.isPresent()) {
            refusals.add(new Refusal(name, declined.get()));
            wrong.add(String.format(Locale.ROOT, "provider %s: %s", name, declined.get()));
            continue;
          }
          requireNoFallback(operator, spec, name, refusals);
          wrong.forEach(
              w -> warnOnce(String.format(Locale.ROOT, "%s; %s runs %s", w, name, operator)));
          Site site =
              new Site(
                  operator.id(), spec.toString(), name, variants, closed, ProviderException::new);
          return new Slot(
              operator.checked(kernel, spec, site),
              new Choice(operator, spec.toString(), 0, name, variants, refusals));
        }
        case Answer.Refused<K>(String reason) -> refusals.add(new Refusal(name, reason));
        case Answer.Broke<K>(String reason, Throwable cause) -> {
          String defect =
              String.format(Locale.ROOT, "%s: provider %s %s for %s", operator, name, reason, spec);
          if (!settings.rules().get(operator).auto()) {
            throw new SelectionException(
                defect + "; get a fixed JAR from its author, or leave it out of " + rule(operator),
                cause);
          }
          warn(defect + "; it is passed over");
          refusals.add(new Refusal(name, reason));
        }
      }
    }
    throw nothingTakes(operator, spec, refusals);
  }

  private void requireNoFallback(
      Operator<?, ?> operator, Object spec, String name, List<Refusal> refusals) {
    NoFallback noFallback = settings.noFallback();
    List<String> lost =
        noFallback.lost(
            operator, rule(operator), catalog.readyEntry(name), refusals, catalog.entries());
    if (!lost.isEmpty()) {
      throw noFallback.failure(operator, spec, name, lost, report().text());
    }
  }

  private <S, K> Answer<K> answer(String name, KernelSet kernels, Operator<S, K> operator, S spec) {
    if (silent.contains(name)) {
      return new Answer.Broke<>("gave no answer before and is not asked again (P4)", null);
    }
    Answer<K> answer = Answer.of(kernels, operator, spec, guard);
    if (answer instanceof Answer.Broke<K>(_, TimeoutException _)) {
      silent.add(name);
    }
    return answer;
  }

  private SelectionRule rule(Operator<?, ?> operator) {
    return settings.rules().get(operator);
  }

  private SelectionException nothingTakes(
      Operator<?, ?> operator, Object spec, List<Refusal> refusals) {
    String ready =
        catalog.entries().stream()
            .filter(ProviderEntry::ready)
            .map(ProviderEntry::name)
            .filter(n -> !candidates.byOperator().get(operator).containsKey(n))
            .collect(Collectors.joining(","));
    String remedy =
        ready.isEmpty()
            ? "add a provider that takes it: quern-provider-scalar has every standard format"
            : String.format(
                Locale.ROOT,
                "append ready providers that were not asked (%s), or set %s=auto",
                ready,
                rule(operator).property());
    String newLine = System.lineSeparator();
    return new SelectionException(
        refusals.stream()
                .map(r -> "  " + r.provider() + ": " + r.reason() + newLine)
                .collect(
                    Collectors.joining(
                        "",
                        String.format(
                            Locale.ROOT,
                            "%s: no provider takes %s under %s%n",
                            operator,
                            spec,
                            rule(operator)),
                        "  Remedy: " + remedy + newLine + newLine))
            + report().text());
  }

  /// A decline of `quern selfcheck` concerns many specs of a model.
  private void warnOnce(String line) {
    if (warned.add(line)) {
      warn(line);
    }
  }

  private static void warn(String line) {
    LOG.log(Level.WARNING, line);
  }
}
