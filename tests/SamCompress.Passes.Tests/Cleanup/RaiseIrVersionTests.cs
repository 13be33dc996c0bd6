using SamCompress.IR;
using SamCompress.Passes.Cleanup;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Cleanup;

public sealed class RaiseIrVersionTests
{
    [Theory]
    [InlineData(3, 4, 1)]
    [InlineData(4, 4, 0)]
    [InlineData(10, 10, 0)]
    public void Raises_only_what_is_too_old(int before, int after, int changes)
    {
        using Model model = ModelText.Parse($"<ir_version: {before}, opset_import: [\"\": 8]> g (float[2] x) => (float[2] y) {{ y = Neg (x) }}");
        Assert.Equal(changes, new RaiseIrVersion().Apply(model, PassCheck.Context()));
        Assert.Equal(after, model.IrVersion);
    }
}
