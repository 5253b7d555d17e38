package dev.quern.provider.x86.linear.floats;

import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.linear.panel.PanelLoop;

/// Widens F16 and BF16, which is exact, and loads F32: both slices of an input at once.
record FloatDecoder(Assembler a, FloatUnit unit, FloatPanels panels) implements WeightDecoder {
  @Override
  public void begin() {}

  @Override
  public void block(Sink sink) {
    Vec[] weights = {unit.temporary(1), unit.temporary(2)};
    int sliceBytes = unit.lanes() * panels.elementBytes();
    for (int i = 0; i < panels.inputs(); i++) {
      for (int slice = 0; slice < FloatUnit.SLICES; slice++) {
        load(weights[slice], ptr(PanelLoop.PANEL, sliceBytes * (FloatUnit.SLICES * i + slice)));
      }
      sink.weights(i, 0, weights);
    }
  }

  private void load(Vec to, Mem from) {
    if (panels.format().equals(BlockFormat.F32)) {
      a.emit(Op.VMOVUPS, to, from);
    } else if (panels.format().equals(BlockFormat.F16)) {
      a.emit(Op.VCVTPH2PS, to, from);
    } else {
      a.emit(Op.VPMOVZXWD, to, from);
      a.emit(Op.VPSLLD, to, to, 16);
    }
  }

  @Override
  public void constants() {}
}
