package dev.quern.provider.x86.activation;

import static dev.quern.provider.x86.asm.Gp.RSP;
import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;

/// Rows of a KV cache to F32 and back, headDim elements each, and none beside them. AVX2 has no
/// mask for halves of a row's end: they go one by one, by the stack's red zone (System V, 3.2.2).
final class KvRows {
  private static final int NEAREST_EVEN = 0;
  private static final Gp ONE = Gp.R11;

  private final Lanes lanes;
  private final AttentionLayout layout;
  private final Assembler a;
  private final Label rest;

  KvRows(Lanes lanes, AttentionLayout layout) {
    this.lanes = lanes;
    this.layout = layout;
    a = lanes.a;
    rest = a.label();
  }

  /// Once, before all rows.
  void begin() {
    if (layout.rest() > 0) {
      lanes.mask(0, ptr(rest));
    }
  }

  /// Behind the code.
  void constants() {
    a.place(rest);
    a.data((1 << layout.rest()) - 1);
  }

  private int whole() {
    return layout.headDim() / lanes.count();
  }

  /// Bytes of a vector's elements in the cache.
  private int cachedBytes() {
    return lanes.count() * layout.kv().elementBytes();
  }

  /// A row of the cache becomes floats, filled up with zeros. Changes r11 and register 0.
  void load(Gp from, Gp to) {
    Vec v = lanes.v(0);
    for (int i = 0; i < whole(); i++) {
      Mem cached = ptr(from, i * cachedBytes());
      a.emit(layout.f16() ? Op.VCVTPH2PS : Op.VMOVUPS, v, cached);
      a.emit(Op.VMOVUPS, ptr(to, i * lanes.bytes()), v);
    }
    if (layout.rest() > 0) {
      loadRest(v, ptr(from, whole() * cachedBytes()));
      a.emit(Op.VMOVUPS, ptr(to, whole() * lanes.bytes()), v);
    }
  }

  private void loadRest(Vec v, Mem from) {
    if (!layout.f16()) {
      lanes.load(v, from, 0);
    } else if (lanes.wide()) {
      a.emit(Op.VMOVDQU16, lanes.half(v).zeroing(k(1)), from);
      a.emit(Op.VCVTPH2PS, v, lanes.half(v));
    } else {
      words(from, redZone());
      a.emit(Op.VCVTPH2PS, v, redZone());
      lanes.clear(v, 0);
    }
  }

  /// Floats become a row of the cache. Changes r11 and register 0.
  void store(Gp from, Gp to) {
    Vec v = lanes.v(0);
    for (int i = 0; i < whole(); i++) {
      Mem cached = ptr(to, i * cachedBytes());
      a.emit(Op.VMOVUPS, v, ptr(from, i * lanes.bytes()));
      if (layout.f16()) {
        a.emit(Op.VCVTPS2PH, cached, v, NEAREST_EVEN);
      } else {
        a.emit(Op.VMOVUPS, cached, v);
      }
    }
    if (layout.rest() > 0) {
      lanes.load(v, ptr(from, whole() * lanes.bytes()), 0);
      storeRest(ptr(to, whole() * cachedBytes()), v);
    }
  }

  private void storeRest(Mem to, Vec v) {
    if (!layout.f16()) {
      lanes.store(to, v, 0);
    } else if (lanes.wide()) {
      a.emit(Op.VCVTPS2PH, lanes.half(v), v, NEAREST_EVEN);
      a.emit(Op.VMOVDQU16, to.with(k(1)), lanes.half(v));
    } else {
      a.emit(Op.VCVTPS2PH, redZone(), v, NEAREST_EVEN);
      words(redZone(), to);
    }
  }

  private static Mem redZone() {
    return ptr(RSP, -16);
  }

  private void words(Mem from, Mem to) {
    for (int i = 0; i < layout.rest(); i++) {
      a.emit(Op.MOVZX, ONE.r32(), from.plus(Short.BYTES * i).sized(Short.BYTES));
      a.emit(Op.MOV, to.plus(Short.BYTES * i), ONE.r16());
    }
  }
}
