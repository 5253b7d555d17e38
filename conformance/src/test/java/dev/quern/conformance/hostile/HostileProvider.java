package dev.quern.conformance.hostile;

import dev.quern.conformance.WrappedProvider;
import dev.quern.op.Activation;
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
import dev.quern.spi.Offer;
import java.util.function.BiFunction;

/// The scalar provider under another name. Each of the five methods that take a fault gives a copy
/// in which the kernels of one operator are other ones, made from the right ones.
final class HostileProvider extends WrappedProvider {
  private final BiFunction<LinearSpec, LinearPacker, LinearPacker> linear;
  private final BiFunction<AttentionSpec, AttentionKernel, AttentionKernel> attention;
  private final BiFunction<RmsNormSpec, RmsNormKernel, RmsNormKernel> rmsNorm;
  private final BiFunction<RopeSpec, RopeKernel, RopeKernel> rope;
  private final BiFunction<SwiGluSpec, SwiGluKernel, SwiGluKernel> swiGlu;

  /// Without a fault.
  HostileProvider() {
    this((s, k) -> k, (s, k) -> k, (s, k) -> k, (s, k) -> k, (s, k) -> k);
  }

  private HostileProvider(
      BiFunction<LinearSpec, LinearPacker, LinearPacker> linear,
      BiFunction<AttentionSpec, AttentionKernel, AttentionKernel> attention,
      BiFunction<RmsNormSpec, RmsNormKernel, RmsNormKernel> rmsNorm,
      BiFunction<RopeSpec, RopeKernel, RopeKernel> rope,
      BiFunction<SwiGluSpec, SwiGluKernel, SwiGluKernel> swiGlu) {
    this.linear = linear;
    this.attention = attention;
    this.rmsNorm = rmsNorm;
    this.rope = rope;
    this.swiGlu = swiGlu;
  }

  HostileProvider linear(BiFunction<LinearSpec, LinearPacker, LinearPacker> fault) {
    return new HostileProvider(fault, attention, rmsNorm, rope, swiGlu);
  }

  HostileProvider attention(BiFunction<AttentionSpec, AttentionKernel, AttentionKernel> fault) {
    return new HostileProvider(linear, fault, rmsNorm, rope, swiGlu);
  }

  HostileProvider rmsNorm(BiFunction<RmsNormSpec, RmsNormKernel, RmsNormKernel> fault) {
    return new HostileProvider(linear, attention, fault, rope, swiGlu);
  }

  HostileProvider rope(BiFunction<RopeSpec, RopeKernel, RopeKernel> fault) {
    return new HostileProvider(linear, attention, rmsNorm, fault, swiGlu);
  }

  HostileProvider swiGlu(BiFunction<SwiGluSpec, SwiGluKernel, SwiGluKernel> fault) {
    return new HostileProvider(linear, attention, rmsNorm, rope, fault);
  }

  @Override
  public String name() {
    return "hostile";
  }

  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    return spec.bias()
        ? Offer.declined("no faults for a bias")
        : map(super.linear(spec), k -> linear.apply(spec, k));
  }

  @Override
  public Offer<AttentionKernel> attention(AttentionSpec spec) {
    return map(super.attention(spec), k -> attention.apply(spec, k));
  }

  @Override
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return spec.groups() > 1
        ? Offer.declined("no faults for groups")
        : map(super.rmsNorm(spec), k -> rmsNorm.apply(spec, k));
  }

  @Override
  public Offer<RopeKernel> rope(RopeSpec spec) {
    return map(super.rope(spec), k -> rope.apply(spec, k));
  }

  @Override
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    return spec.activation() != Activation.SILU
        ? Offer.declined("no faults for " + spec.activation())
        : map(super.swiGlu(spec), k -> swiGlu.apply(spec, k));
  }
}
