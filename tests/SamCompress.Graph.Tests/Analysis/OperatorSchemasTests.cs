using SamCompress.IR.Analysis;

namespace SamCompress.IR.Tests.Analysis;

public sealed class OperatorSchemasTests
{
    [Theory]
    [InlineData("Abs", 5, 1)]
    [InlineData("Abs", 6, 6)]
    [InlineData("Abs", 12, 6)]
    [InlineData("Abs", 99, 13)]
    [InlineData("Gelu", 20, 20)]
    public void Finds_the_version_that_an_opset_holds(string opType, int opset, int since) =>
        Assert.Equal(since, OperatorSchemas.Find("", opType, opset)?.SinceVersion);

    [Theory]
    [InlineData("", "Gelu", 19)]
    [InlineData("", "NoSuchOperator", 21)]
    [InlineData("ai.onnx.ml", "Gelu", 20)]
    [InlineData("com.microsoft", "Gelu", 1)]
    public void Finds_nothing_outside_the_opset(string domain, string opType, int opset) => Assert.Null(OperatorSchemas.Find(domain, opType, opset));

    [Fact]
    public void Knows_counts_and_attributes()
    {
        OperatorSchema conv = OperatorSchemas.Find("", "Conv", 11)!;
        Assert.Equal((2, 3, 1, 1), (conv.MinInputs, conv.MaxInputs, conv.MinOutputs, conv.MaxOutputs));
        Assert.Equal(new AttributeSchema("group", AttributeKind.Int, IsRequired: false), conv.Attribute("group"));
        Assert.Equal(["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"], conv.Attributes.Select(a => a.Name));

        OperatorSchema concat = OperatorSchemas.Find("", "Concat", 13)!;
        Assert.Equal((1, int.MaxValue), (concat.MinInputs, concat.MaxInputs));
        Assert.Equal(new AttributeSchema("axis", AttributeKind.Int, IsRequired: true), concat.Attribute("axis"));
    }

    [Fact]
    public void Knows_places_under_the_minimum_that_may_be_left_out()
    {
        OperatorSchema loop = OperatorSchemas.Find("", "Loop", 13)!;
        Assert.Equal((2, false, false), (loop.MinInputs, loop.IsInputRequired(0), loop.IsInputRequired(1)));
        OperatorSchema gemm = OperatorSchemas.Find("", "Gemm", 13)!;
        Assert.Equal((true, true, false), (gemm.IsInputRequired(0), gemm.IsInputRequired(1), gemm.IsInputRequired(2)));
    }

    [Fact]
    public void Knows_deprecated_versions_and_the_newest_opsets()
    {
        Assert.True(OperatorSchemas.Find("", "Upsample", 10)!.IsDeprecated);
        Assert.False(OperatorSchemas.Find("", "Upsample", 9)!.IsDeprecated);
        Assert.True(OperatorSchemas.NewestOpset("") >= 25);
        Assert.Equal(5, OperatorSchemas.NewestOpset("ai.onnx.ml"));
        Assert.Equal(1, OperatorSchemas.NewestOpset("ai.onnx.preview.training"));
        Assert.Null(OperatorSchemas.NewestOpset("com.microsoft"));
    }
}
