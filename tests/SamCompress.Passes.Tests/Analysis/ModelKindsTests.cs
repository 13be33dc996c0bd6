using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Testing;

namespace SamCompress.Passes.Tests.Analysis;

public sealed class ModelKindsTests
{
    [Theory]
    [InlineData("sam_b_encoder", ModelKind.SamEncoder)]
    [InlineData("sam_b_encoder_dynamo", ModelKind.SamEncoder)]
    [InlineData("mobilesam_encoder", ModelKind.SamEncoder)]
    [InlineData("efficientvit_sam_l0_encoder", ModelKind.SamEncoder)]
    [InlineData("efficientsam_ti_encoder", ModelKind.SamEncoder)]
    [InlineData("sam_decoder", ModelKind.SamDecoder)]
    public void Real_exports_are_recognized(string name, ModelKind kind)
    {
        using Model model = OnnxReader.Read(SkeletonModels.SkeletonPath(name), new ReadOptions { AllowMissingData = true });

        Assert.Equal(kind, ModelKinds.Recognize(model));
    }

    [Theory]
    [InlineData("agraph (int64[1,128] input_ids) => (float[1,128,768] y) { y = Foo(input_ids) }")]
    [InlineData("agraph (float[1,3,640,640] images) => (float[1,84,8400] y) { y = Foo(images) }")]
    [InlineData("agraph (float[1,3,224,224] images) => (float[1,1000] y) { y = Foo(images) }")]
    public void Other_networks_are_not_taken_for_encoders(string text)
    {
        using Model model = ModelText.Parse(text);

        Assert.Equal(ModelKind.Other, ModelKinds.Recognize(model));
    }
}
