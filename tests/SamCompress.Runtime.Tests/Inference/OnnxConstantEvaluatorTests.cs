using SamCompress.IR;
using SamCompress.Runtime.Inference;

namespace SamCompress.Runtime.Tests.Inference;

public sealed class OnnxConstantEvaluatorTests
{
    [Fact]
    public void Evaluates_a_region_of_nodes_in_output_order()
    {
        using var model = new Model(8, [new OpsetImport("", 17)]);
        Value a = model.Graph.AddInitializer("a", Tensor.Vector(2, 3, 5));
        Value b = model.Graph.AddInitializer("b", Tensor.Vector(7, 11, 13));
        Value sum = model.Graph.Append("Add", [a, b], ["sum"]).Output;
        Value product = model.Graph.Append("Mul", [sum, b], ["product"]).Output;
        foreach (Value output in (Value[])[product, sum])
        {
            output.ElementType = ElementType.Int64;
            output.Shape = Shape.Of(3);
            model.Graph.AddOutput(output);
        }

        IReadOnlyList<Tensor>? results = new OnnxConstantEvaluator().Evaluate(model, CancellationToken.None);
        Assert.Equal([63L, 154L, 234L], results![0].ToInt64s());
        Assert.Equal([9L, 14L, 18L], results[1].ToInt64s());
    }

    [Fact]
    public void Gives_null_for_an_operator_that_is_not_implemented()
    {
        using var model = new Model(8, [new OpsetImport("", 17)]);
        Value a = model.Graph.AddInitializer("a", Tensor.Vector(1));
        model.Graph.AddOutput(model.Graph.Append("Frobnicate", [a], ["y"]).Output);
        Assert.Null(new OnnxConstantEvaluator().Evaluate(model, CancellationToken.None));
    }

    [Fact]
    public void Gives_null_when_the_run_fails()
    {
        using var model = new Model(8, [new OpsetImport("", 17)]);
        Value a = model.Graph.AddInitializer("a", Tensor.Vector(1, 2, 3));
        Value shape = model.Graph.AddInitializer("shape", Tensor.Vector(2, 2));
        Value y = model.Graph.Append("Reshape", [a, shape], ["y"]).Output;
        y.ElementType = ElementType.Int64;
        model.Graph.AddOutput(y);
        Assert.Null(new OnnxConstantEvaluator().Evaluate(model, CancellationToken.None));
    }
}
