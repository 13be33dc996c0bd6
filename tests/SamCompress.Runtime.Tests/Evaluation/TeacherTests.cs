using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Tests.Images;

namespace SamCompress.Runtime.Tests.Evaluation;

public sealed class TeacherTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");
    private readonly string _encoder;
    private readonly string _decoder;

    public TeacherTests()
    {
        _encoder = Path.Combine(_directory.FullName, "encoder.onnx");
        _decoder = Path.Combine(_directory.FullName, "decoder.onnx");
        ToyModels.SaveEncoder(_encoder, 0);
        ToyModels.SaveDecoder(_decoder);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Answers_every_prompt_of_the_grid()
    {
        using Teacher teacher = Teacher.Open(_encoder, _decoder, new TeacherSettings { GridSide = 3 });
        TeacherSample sample = Run(teacher, Picture("columns.png", ToyModels.Columns));
        Assert.Equal(9, sample.Answers.Count);
        Assert.Equal(0, sample.Answers[0].Best);
        Assert.Equal(8, sample.Answers[0].Mask.Area);
        Assert.Equal(ToyModels.ColumnValues[3], sample.Embeddings["image_embeddings"][3], 4);
    }

    [Fact]
    public void Runs_once_for_the_same_picture_under_any_name()
    {
        using Teacher teacher = Teacher.Open(_encoder, _decoder);
        TeacherSample first = Run(teacher, Picture("a.png", ToyModels.Columns));
        TeacherSample second = Run(teacher, Picture("b.png", ToyModels.Columns));
        Assert.Same(first, second);
        Assert.Equal(1, teacher.Runs);
    }

    /// <summary>A sample here takes 16 floats, and 16 answers of one word and two floats: 320 bytes.</summary>
    [Fact]
    public void Forgets_the_longest_unused_beyond_its_bound()
    {
        using Teacher teacher = Teacher.Open(_encoder, _decoder, new TeacherSettings { MaxCachedBytes = 700 });
        string[] pictures = [.. Enumerable.Range(0, 3).Select(i => Picture($"{i}.png", TestPictures.Png(1, 1, 8, 0, [(byte)i])))];
        Run(teacher, pictures[0]);
        Run(teacher, pictures[1]);
        Run(teacher, pictures[0]);
        Run(teacher, pictures[2]);
        Assert.Equal(3, teacher.Runs);
        Run(teacher, pictures[0]);
        Assert.Equal(3, teacher.Runs);
        Run(teacher, pictures[1]);
        Assert.Equal(4, teacher.Runs);
    }

    [Fact]
    public void Has_no_answers_without_a_decoder()
    {
        using Teacher teacher = Teacher.Open(_encoder, null);
        Assert.Empty(Run(teacher, Picture("a.png", ToyModels.Columns)).Answers);
    }

    [Fact]
    public void Refuses_a_decoder_as_encoder() =>
        Assert.Equal(FailureKind.Unsupported, Assert.Throws<SamCompressException>(() => Teacher.Open(_decoder, null)).Kind);

    private static TeacherSample Run(Teacher teacher, string path)
    {
        using EncoderImage image = teacher.Images.Load(path);
        return teacher.Run(image);
    }

    private string Picture(string name, byte[] bytes)
    {
        string path = Path.Combine(_directory.FullName, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
