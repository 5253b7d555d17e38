package dev.quern.conformance.hostile;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// A call of any operator, so that one generated fault fits all five. Attention's `append` is none.
///
/// @param kernel the kernel that is called, for faults that tell kernels apart
/// @param spec of that kernel
/// @param format what else kernels may be of: `Q4_0 exact-f32`, `F16`, `half-split`, or empty
/// @param sizes how large it is
/// @param inputs matrices that it reads: x; x and weight; the table; gate and up; q
/// @param cache attention's cache; else null
/// @param y what it writes; RoPE's x
/// @param w its workspace
/// @param right what the right kernel does with such a call
record Call(
    Object kernel,
    Record spec,
    String format,
    Map<Size, Integer> sizes,
    List<F32Matrix> inputs,
    KvCache cache,
    F32Matrix y,
    Workspace w,
    Right right) {

  /// The right kernel's answer to a call.
  interface Right {
    void apply(Call call);
  }

  /// What a mutant does in place of a call.
  interface Fault {
    void apply(Call call);
  }

  void apply() {
    right.apply(this);
  }

  int size(Size size) {
    return sizes.get(size);
  }

  Call withInput(int i, F32Matrix input) {
    List<F32Matrix> changed = new ArrayList<>(inputs);
    changed.set(i, input);
    return new Call(kernel, spec, format, sizes, List.copyOf(changed), cache, y, w, right);
  }

  Call withCache(KvCache other) {
    return new Call(kernel, spec, format, sizes, inputs, other, y, w, right);
  }

  Call withY(F32Matrix other) {
    return new Call(kernel, spec, format, sizes, inputs, cache, other, w, right);
  }

  Call withWorkers(Workers workers) {
    Workspace other = new Workspace(w.scratch(), workers);
    return new Call(kernel, spec, format, sizes, inputs, cache, y, other, right);
  }

  /// The provider whose calls of an operator a fault makes.
  static HostileProvider wire(HostileProvider right, String operator, Fault fault) {
    return switch (operator) {
      case "linear" ->
          right.linear((spec, packer) ->
              Kernels.calls(
                  packer,
                  (k, x, y, w) ->
                      fault.apply(
                          new Call(
                              k,
                              spec,
                              format(spec),
                              sizes(x, w, Size.INPUTS, spec.inputs(), Size.OUTPUTS, spec.outputs()),
                              List.of(x),
                              null,
                              y,
                              w,
                              c -> k.apply(c.inputs.getFirst(), c.y, c.w)))));
      case "attention" ->
          right.attention((spec, kernel) ->
              Kernels.applies(
                  kernel,
                  (k, q, cache, first, y, w) -> {
                    Map<Size, Integer> sizes =
                        sizes(q, w, Size.POSITION, first, Size.CAPACITY, cache.capacity());
                    sizes.put(Size.KV_HEADS, spec.kvHeads());
                    sizes.put(Size.GROUP, spec.heads() / spec.kvHeads());
                    sizes.put(Size.HEAD_DIM, spec.headDim());
                    fault.apply(
                        new Call(
                            k,
                            spec,
                            spec.kv().id(),
                            sizes,
                            List.of(q),
                            cache,
                            y,
                            w,
                            c -> k.apply(c.inputs.getFirst(), c.cache, first, c.y, c.w)));
                  }));
      case "rmsnorm" ->
          right.rmsNorm((spec, kernel) ->
              Kernels.calls(
                  kernel,
                  (k, x, weight, y, w) ->
                      fault.apply(
                          new Call(
                              k,
                              spec,
                              "",
                              sizes(x, w, Size.WIDTH, spec.width(), Size.WIDTH, spec.width()),
                              List.of(x, weight),
                              null,
                              y,
                              w,
                              c -> k.apply(c.inputs.get(0), c.inputs.get(1), c.y, c.w)))));
      case "rope" ->
          right.rope((spec, kernel) ->
              Kernels.calls(
                  kernel,
                  (k, x, table, first, w) -> {
                    Map<Size, Integer> sizes =
                        sizes(x, w, Size.HEADS, spec.heads(), Size.HEAD_DIM, spec.headDim());
                    sizes.put(Size.POSITION, first);
                    fault.apply(
                        new Call(
                            k,
                            spec,
                            spec.pairing().toString(),
                            sizes,
                            List.of(table),
                            null,
                            x,
                            w,
                            c -> k.apply(c.y, c.inputs.getFirst(), first, c.w)));
                  }));
      case "swiglu" ->
          right.swiGlu((spec, kernel) ->
              Kernels.calls(
                  kernel,
                  (k, gate, up, y, w) ->
                      fault.apply(
                          new Call(
                              k,
                              spec,
                              "",
                              sizes(gate, w, Size.WIDTH, spec.width(), Size.WIDTH, spec.width()),
                              List.of(gate, up),
                              null,
                              y,
                              w,
                              c -> k.apply(c.inputs.get(0), c.inputs.get(1), c.y, c.w)))));
      default -> throw new IllegalArgumentException("operator=" + operator);
    };
  }

  /// Format and numerics, as the scalar provider picks them.
  static String format(LinearSpec spec) {
    boolean exact = spec.tolerated().contains(Numerics.EXACT_F32);
    return spec.weights().id() + (exact ? " exact-f32" : " int8");
  }

  private static Map<Size, Integer> sizes(
      F32Matrix rows, Workspace w, Size first, int a, Size second, int b) {
    Map<Size, Integer> sizes = new EnumMap<>(Size.class);
    sizes.put(Size.ROWS, rows.rows());
    sizes.put(Size.WORKERS, w.workers().parallelism());
    sizes.put(first, a);
    sizes.put(second, b);
    return sizes;
  }
}
