package dev.quern.provider.x86.linear.floats;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelLayout.Scales;
import dev.quern.provider.x86.linear.panel.PanelLoop;
import dev.quern.provider.x86.linear.panel.PanelPacking;

/// Weights in blocks, in the panels that the int8 products have too.
public record BlockPanels(PanelFormat panelFormat, PanelLayout layout) implements WeightPanels {
  @Override
  public BlockFormat format() {
    return panelFormat.format();
  }

  @Override
  public int inputs() {
    return PanelLayout.BLOCK;
  }

  @Override
  public int outputs() {
    return layout.outputs();
  }

  @Override
  public long bytes(int blocks) {
    return layout.bytes(blocks);
  }

  @Override
  public long footScalesAt(int blocks) {
    return layout.scales() == Scales.F32_FOOT ? layout.footAt(blocks) + layout.footScalesAt() : 0;
  }

  @Override
  public PanelLoop loop(int rows, int tileBlockBytes) {
    return new PanelLoop(
        layout.outputs(),
        rows,
        layout.headBytes(),
        layout.blocksPerHead(),
        layout.blockBytes(),
        tileBlockBytes,
        true,
        layout.footBytes());
  }

  @Override
  public WeightDecoder decoder(Assembler a, FloatUnit unit) {
    return new BlockDecoder(a, unit, panelFormat, layout);
  }

  @Override
  public Code packing() {
    return PanelPacking.code(panelFormat, layout);
  }

  @Override
  public int packingInputs() {
    return PanelPacking.inputs(panelFormat);
  }

  @Override
  public int fusedRows(FloatUnit unit) {
    return FEW_ROWS;
  }
}
