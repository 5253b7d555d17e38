package dev.quern.conformance;

import dev.quern.KernelOptions;
import dev.quern.conformance.judge.Candidate;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/// What is tested: a provider, where it runs, and what its author declares. Its kernels are opened
/// when they are first asked for, and closed with this. Any thread may ask; nobody waits for
/// another, since an answer may never come.
///
/// @since 0.1
/// @stability api
public final class Target implements Candidate, AutoCloseable {
  private final KernelProvider provider;
  private final Platform platform;
  private final Support support;
  private final AtomicReference<Availability> opened = new AtomicReference<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  /// @param platform where it runs
  /// @param support what its author declares
  public Target(KernelProvider provider, Platform platform, Support support) {
    this.provider = provider;
    this.platform = platform;
    this.support = support;
  }

  /// A provider on this machine, with the declaration in its JAR.
  public static Target here(KernelProvider provider) {
    return new Target(
        provider, KernelOptions.fromSystem().providersPlatform(), Support.of(provider));
  }

  @Override
  public KernelProvider provider() {
    return provider;
  }

  @Override
  public Platform platform() {
    return platform;
  }

  @Override
  public Support support() {
    return support;
  }

  /// The provider's name, for reports; its class where it fails to say one, which rule P1 is about.
  String name() {
    try {
      return String.valueOf(provider.name());
    } catch (Throwable e) {
      return provider.getClass().getName();
    }
  }

  @Override
  public Availability availability() {
    Availability known = opened.get();
    if (known != null) {
      return known;
    }
    Availability answer = provider.open(platform);
    if (!opened.compareAndSet(null, answer)) { // another thread was faster
      close(answer);
    } else if (closed.get()) { // meanwhile: close() has seen nothing
      close(answer);
    }
    return opened.get();
  }

  /// Closes what was opened, once.
  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      close(opened.get());
    }
  }

  private static void close(Availability answer) {
    if (answer instanceof Availability.Ready ready) {
      ready.kernels().close();
    }
  }
}
