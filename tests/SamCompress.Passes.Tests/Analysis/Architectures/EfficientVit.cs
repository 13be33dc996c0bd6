using SamCompress.IR;

namespace SamCompress.Passes.Tests.Analysis.Architectures;

/// <summary>What a stage is made of.</summary>
internal enum Block
{
    /// <summary>3x3, 3x3.</summary>
    Residual,

    /// <summary>3x3 to a larger width, 1x1 back.</summary>
    FusedMb,

    /// <summary>1x1 to a larger width, 3x3 for each channel, 1x1 back.</summary>
    Mb,

    /// <summary>ReLU linear attention, then <see cref="Mb"/>.</summary>
    Attention,
}

/// <summary>The image encoder of EfficientViT-SAM.</summary>
/// <param name="FewerNorm">Whether inner convolutions have a bias in place of a normalization.</param>
/// <param name="Scale">The kernel of the second scale of an attention.</param>
internal sealed record Stage(long Width, int Depth, Block Block, long Expand, bool FewerNorm = false, long Scale = 0);

internal sealed record EfficientVit(long PictureSide, IReadOnlyList<Stage> Stages, int NeckDepth, long NeckExpand)
{
    private const long HeadSize = 32;

    public Model Build()
    {
        var g = new LayerGraph();
        Stage stem = Stages[0];
        Value x = g.Gelu(g.BatchNorm(g.Conv(g.Input(1, 3, PictureSide, PictureSide), stem.Width, 3, 2)));
        for (int i = 0; i < stem.Depth; i++)
            x = g.Add("Add", [x, Body(g, x, stem, stem.Width, 1)]);
        var outputs = new List<Value>();
        foreach (Stage stage in Stages.Skip(1))
        {
            Block opening = stage.Block == Block.Attention ? Block.Mb : stage.Block;
            x = Body(g, x, stage with { Block = opening, Expand = 4 * stage.Expand }, stage.Width, 2);
            for (int i = 0; i < stage.Depth; i++)
            {
                if (stage.Block == Block.Attention)
                    x = g.Add("Add", [x, LinearAttention(g, x, stage.Scale)]);
                x = g.Add("Add", [x, Body(g, x, stage, stage.Width, 1)]);
            }

            outputs.Add(x);
        }

        return g.Finish(Neck(g, outputs));
    }

    private Value Neck(LayerGraph g, List<Value> outputs)
    {
        Value? x = null;
        foreach (Value level in outputs.TakeLast(3).Reverse())
        {
            Value resized = g.Add("Resize", [g.BatchNorm(g.Conv(level, 256, 1)), null, null, g.Constant(1, 256, 64, 64)], NodeAttribute.Of("mode", "cubic"));
            x = x is null ? resized : g.Add("Add", [x, resized]);
        }

        for (int i = 0; i < NeckDepth; i++)
            x = g.Add("Add", [x!, Body(g, x!, new Stage(256, 0, Block.FusedMb, NeckExpand), 256, 1)]);
        return g.ChannelNorm(g.Conv(x!, 256, 1, bias: true));
    }

    private static Value Body(LayerGraph g, Value x, Stage stage, long width, long stride)
    {
        long inner = x.Shape![1].Value!.Value * stage.Expand;
        Value Inner(Value input, long kernel, long step, long groups = 1)
        {
            Value y = g.Conv(input, inner, kernel, step, groups, bias: stage.FewerNorm);
            return g.Gelu(stage.FewerNorm ? y : g.BatchNorm(y));
        }

        x = stage.Block switch
        {
            Block.Residual or Block.FusedMb => Inner(x, 3, stride),
            _ => Inner(Inner(x, 1, 1), 3, stride, inner),
        };
        return g.BatchNorm(g.Conv(x, width, stage.Block == Block.Residual ? 3 : 1));
    }

    private static Value LinearAttention(LayerGraph g, Value x, long scale)
    {
        (long width, long side) = (x.Shape![1].Value!.Value, x.Shape[2].Value!.Value);
        Value qkv = g.Conv(x, 3 * width, 1);
        Value wider = g.Conv(g.Conv(qkv, 3 * width, scale, groups: 3 * width), 3 * width, 1, groups: 3 * width / HeadSize);
        Value all = g.Reshape(g.Add("Concat", [qkv, wider], NodeAttribute.Of("axis", 1L)), 1, 2 * width / HeadSize, 3 * HeadSize, side * side);
        Value[] parts = g.Split(all, 3, 2);
        Value ones = g.Add("Pad", [parts[2], g.Constant(0, 0, 0, 0, 0, 0, 1, 0)]);
        Value sums = g.Add("MatMul", [ones, g.Transpose(g.Add("Relu", [parts[1]]), 0, 1, 3, 2)]);
        Value y = g.Add("MatMul", [sums, g.Add("Relu", [parts[0]])]);
        Value norm = g.Add("Slice", [y, g.Constant(HeadSize), g.Constant(HeadSize + 1), g.Constant(2)]);
        y = g.Add("Div", [g.Add("Slice", [y, g.Constant(0), g.Constant(HeadSize), g.Constant(2)]), norm]);
        return g.BatchNorm(g.Conv(g.Reshape(y, 1, 2 * width, side, side), width, 1));
    }
}
