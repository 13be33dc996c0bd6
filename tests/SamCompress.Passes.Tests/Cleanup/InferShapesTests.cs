using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class InferShapesTests
{
    [Fact]
    public void Writes_shapes_and_reports_what_cannot_run()
    {
        using Model model = ModelText.Parse("g (float[2,3] x) => (float[N,M] y) <int64[2] s = {-1, -1}> { a = Relu (x) y = Reshape (a, s) }");
        PassContext context = PassCheck.Context();
        Assert.Equal(0, new InferShapes().Apply(model, context));
        Assert.Equal(Shape.Of(2, 3), model.Graph.Nodes.First!.Output.Shape);
        Assert.Equal(("SC3201", "the target shape has more than one -1"), (context.Diagnostics[0].Id, context.Diagnostics[0].Message));
    }
}
