using System.Buffers.Binary;
using Google.Protobuf;
using SamCompress.IR.Serialization;

namespace SamCompress.IR.Tests.Serialization;

public sealed class OnnxReaderTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("samcompress-reader-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private static ModelProto ModelWith(params TensorProto[] initializers)
    {
        var proto = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "g" } };
        proto.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        proto.Graph.Initializer.AddRange(initializers);
        return proto;
    }

    private static TensorProto Floats(string name, params long[] dims)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)ElementType.Float };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    private static TensorProto External(string name, long count, params (string Key, string Value)[] entries)
    {
        TensorProto tensor = Floats(name, count);
        tensor.DataLocation = 1;
        tensor.ExternalData.AddRange(entries.Select(e => new StringStringEntryProto { Key = e.Key, Value = e.Value }));
        return tensor;
    }

    private string Write(ModelProto proto, string name = "model.onnx")
    {
        File.WriteAllBytes(PathOf(name), proto.ToByteArray());
        return PathOf(name);
    }

    private static SamCompressException Refused(Action read) => Assert.Throws<SamCompressException>(read);

    [Fact]
    public void Big_raw_data_stays_in_the_file_and_reads_the_same()
    {
        float[] data = [.. Enumerable.Range(0, 1000).Select(i => i * 0.5f)];
        TensorProto tensor = Floats("w", 10, 100);
        tensor.RawData = ByteString.CopyFrom(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(data));
        string path = Write(ModelWith(tensor));

        using Model model = OnnxReader.Read(path);

        Tensor read = model.Graph.Initializers[0].Initializer!;
        Assert.IsType<MappedTensor>(read);
        Assert.Equal(data, read.ToArray<float>());
        Assert.Equal(File.ReadAllBytes(path), OnnxWriter.Serialize(model));
    }

    [Fact]
    public void Unknown_fields_of_every_message_survive_an_edit()
    {
        ModelProto proto = ModelWith(Floats("w", 0));
        proto.Graph.Node.Add(new NodeProto { OpType = "Relu", Input = { "w" }, Output = { "y" } });
        proto.Graph.Output.Add(new ValueInfoProto { Name = "y" });
        byte[] bytes = AddUnknown(proto.ToByteArray());
        File.WriteAllBytes(PathOf("m.onnx"), bytes);

        using Model model = OnnxReader.Read(PathOf("m.onnx"));
        model.Graph.Nodes.First!.Name = "renamed";
        ModelProto written = ModelProto.Parser.ParseFrom(OnnxWriter.Serialize(model));

        Assert.Equal("renamed", written.Graph.Node[0].Name);
        Assert.EndsWith(Convert.ToHexString([0xF2, 0x3E, 2, 0xAB, 0xCD]), Convert.ToHexString(written.ToByteArray()), StringComparison.Ordinal);

        // Field 1006 of ModelProto, length-delimited, two bytes.
        static byte[] AddUnknown(byte[] model) => [.. model, 0xF2, 0x3E, 2, 0xAB, 0xCD];
    }

    [Fact]
    public void A_file_over_2_GiB_with_inline_data_opens_without_reading_it()
    {
        // Holes in a sparse file stand in for the weights: four tensors of 800 MB.
        const long Count = 200_000_000;
        string path = PathOf("big.onnx");
        WriteSparse(path, Count, tensors: 4);
        Assert.True(new FileInfo(path).Length > int.MaxValue);

        long before = GC.GetAllocatedBytesForCurrentThread();
        using Model model = OnnxReader.Read(path);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(4 * Count, model.Graph.Initializers.Sum(v => v.Initializer!.Count));
        Assert.InRange(allocated, 0, 1_000_000);
        using TensorLease lease = model.Graph.Initializers[3].Initializer!.Open();
        Assert.Equal(42f, lease.As<float>()[^1]);
    }

    [Fact]
    public void Every_prefix_of_a_model_is_refused_or_read_whole()
    {
        TensorProto tensor = Floats("w", 300);
        tensor.RawData = ByteString.CopyFrom(new byte[1200]);
        byte[] bytes = ModelWith(tensor).ToByteArray();
        for (int length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(PathOf("cut.onnx"), bytes[..length]);
            // The last field is the operator set: without it the rest is a whole message.
            try
            {
                using Model model = OnnxReader.Read(PathOf("cut.onnx"));
                Assert.Equal(bytes.Length - 4, length);
            }
            catch (SamCompressException e)
            {
                Assert.Equal(FailureKind.InputRejected, e.Kind);
            }
        }
    }

    [Theory]
    [InlineData("../secret.bin")]
    [InlineData("a/../../secret.bin")]
    [InlineData("./../secret.bin")]
    [InlineData("/etc/passwd")]
    [InlineData("C:\\x")]
    [InlineData("C:x")]
    [InlineData("\\\\srv\\s\\x")]
    [InlineData("\\\\?\\C:\\x")]
    [InlineData("//x")]
    [InlineData("file:///x")]
    [InlineData("..\\..\\x")]
    [InlineData("a\\b")]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("NUL")]
    [InlineData("x.data:stream")]
    [InlineData("x\ny")]
    [InlineData("x\0y")]
    public void External_data_outside_the_model_folder_is_refused(string location)
    {
        string path = Write(ModelWith(External("w", 1, ("location", location))));

        SamCompressException e = Refused(() => OnnxReader.Read(path));

        Assert.Equal(FailureKind.InputRejected, e.Kind);
        Assert.Contains("'w'", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("weights..v2.data")]
    [InlineData("..data")]
    [InlineData("name with spaces \U0001F600.data")]
    [InlineData("sub/weights.data")]
    public void Unusual_names_inside_the_folder_are_accepted(string location)
    {
        Directory.CreateDirectory(PathOf("sub"));
        var bytes = new byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, 1.5f);
        File.WriteAllBytes(PathOf(location), bytes);
        string path = Write(ModelWith(External("w", 1, ("location", location))));

        using Model model = OnnxReader.Read(path);

        Assert.Equal([1.5f], model.Graph.Initializers[0].Initializer!.ToArray<float>());
    }

    [Theory]
    [InlineData("offset", "-1")]
    [InlineData("offset", "1e3")]
    [InlineData("offset", " 5")]
    [InlineData("offset", "13")]
    [InlineData("offset", "9223372036854775807")]
    [InlineData("length", "1000000000000000")]
    [InlineData("length", "8")]
    [InlineData("location", "data.bin")]
    public void Impossible_ranges_and_repeated_keys_are_refused(string key, string value)
    {
        File.WriteAllBytes(PathOf("data.bin"), new byte[16]);
        string path = Write(ModelWith(External("w", 1, ("location", "data.bin"), (key, value))));

        Assert.Equal(FailureKind.InputRejected, Refused(() => OnnxReader.Read(path)).Kind);
    }

    [Fact]
    public void A_link_out_of_the_folder_is_refused_and_a_link_beside_the_real_model_is_not()
    {
        DirectoryInfo outside = Directory.CreateTempSubdirectory("samcompress-outside-");
        try
        {
            File.WriteAllBytes(Path.Combine(outside.FullName, "blob"), new byte[4]);
            File.CreateSymbolicLink(PathOf("w.data"), Path.Combine(outside.FullName, "blob"));
            ModelProto proto = ModelWith(External("w", 1, ("location", "w.data")));
            string path = Write(proto);

            Assert.Contains("outside", Refused(() => OnnxReader.Read(path)).Message, StringComparison.Ordinal);

            // The layout of a download cache: model and data are links into one folder.
            File.WriteAllBytes(Path.Combine(outside.FullName, "model-blob"), proto.ToByteArray());
            File.CreateSymbolicLink(PathOf("linked.onnx"), Path.Combine(outside.FullName, "model-blob"));
            using Model model = OnnxReader.Read(PathOf("linked.onnx"));
            Assert.Single(model.Graph.Initializers);
        }
        finally
        {
            outside.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_missing_data_file_is_named_with_its_full_path()
    {
        string path = Write(ModelWith(External("w", 1, ("location", "gone.data"))));

        SamCompressException e = Refused(() => OnnxReader.Read(path));

        Assert.Contains(PathOf("gone.data"), e.Message, StringComparison.Ordinal);
        Assert.Equal("keep the model and its data file together", e.Hint);
        using Model model = OnnxReader.Read(path, new ReadOptions { AllowMissingData = true });
        Assert.Equal("float[1]", model.Graph.Initializers[0].Initializer!.ToString());
        Refused(() => model.Graph.Initializers[0].Initializer!.Open());
        Assert.Equal(File.ReadAllBytes(path), OnnxWriter.Serialize(model));
    }

    public static TheoryData<string, string> OtherFiles => new()
    {
        { "", "empty" },
        { "version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS" },
        { "<!DOCTYPE html><html>404</html>", "HTML" },
        { "{\"a\": 1}", "JSON" },
        { "PK\u0003\u0004....", "zip" },
        { "....TFL3....", "TensorFlow" },
    };

    [Theory]
    [MemberData(nameof(OtherFiles))]
    public void A_file_that_is_something_else_is_named(string content, string named)
    {
        File.WriteAllText(PathOf("x.onnx"), content);

        Assert.Contains(named, Refused(() => OnnxReader.Read(PathOf("x.onnx"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_missing_files_and_pipes_are_refused_at_once()
    {
        Assert.Contains("directory", Refused(() => OnnxReader.Read(_folder.FullName)).Message, StringComparison.Ordinal);
        Assert.Contains("not found", Refused(() => OnnxReader.Read(PathOf("none.onnx"))).Message, StringComparison.Ordinal);
        Assert.Contains("not a regular file", Refused(() => OnnxReader.Read("/dev/zero")).Message, StringComparison.Ordinal);
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", [PathOf("pipe")]))
            mkfifo.WaitForExit();
        Assert.Contains("not a regular file", Refused(() => OnnxReader.Read(PathOf("pipe"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 4, 1)]
    [InlineData(99, 4, 1)]
    [InlineData(1, 3, 1)]
    [InlineData(1, 8, 1)]
    [InlineData(1, 4, -1)]
    [InlineData(1, 4, long.MaxValue)]
    [InlineData(1, 4, 1L << 40)]
    [InlineData(8, 4, 1)]
    public void A_tensor_whose_data_does_not_fit_its_type_and_shape_is_refused(int type, int bytes, long dimension)
    {
        TensorProto tensor = Floats("w", dimension);
        tensor.DataType = type;
        tensor.RawData = ByteString.CopyFrom(new byte[bytes]);

        Assert.Contains("'w'", Refused(() => OnnxReader.Read(Write(ModelWith(tensor)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_nothing_produces_and_names_produced_twice_are_refused()
    {
        ModelProto dangling = ModelWith();
        dangling.Graph.Node.Add(new NodeProto { OpType = "Relu", Name = "r", Input = { "nowhere" }, Output = { "y" } });
        ModelProto twice = ModelWith(Floats("w", 0));
        twice.Graph.Node.Add(new NodeProto { OpType = "Relu", Name = "r", Input = { "w" }, Output = { "w" } });

        Assert.Equal("'nowhere': input of r (Relu) that nothing produces", Refused(() => OnnxReader.Read(Write(dangling))).Message);
        Assert.Equal("'w': defined twice: as graph input or initializer and as output of r (Relu)", Refused(() => OnnxReader.Read(Write(twice))).Message);
    }

    [Theory]
    [InlineData(10, true)]
    [InlineData(40, false)]
    [InlineData(10_000, false)]
    public void Deeply_nested_subgraphs_are_refused_and_the_process_survives(int depth, bool accepted)
    {
        // Built on the wire, since the writer of the protobuf library is recursive.
        byte[] graph = [];
        for (int i = 0; i < depth; i++)
            graph = Field(1, [.. Field(4, "If"u8.ToArray()), .. Field(5, [.. Field(1, "b"u8.ToArray()), .. Field(6, graph)])]);
        File.WriteAllBytes(PathOf("deep.onnx"), [8, 8, .. Field(7, graph)]);

        if (accepted)
            OnnxReader.Read(PathOf("deep.onnx")).Dispose();
        else
            Assert.Contains("nested deeper", Refused(() => OnnxReader.Read(PathOf("deep.onnx"))).Message, StringComparison.Ordinal);

        static byte[] Field(int number, byte[] body)
        {
            using var stream = new MemoryStream();
            using (var output = new CodedOutputStream(stream, leaveOpen: true))
            {
                output.WriteTag(number, WireFormat.WireType.LengthDelimited);
                output.WriteBytes(UnsafeByteOperations.UnsafeWrap(body));
            }

            return stream.ToArray();
        }
    }

    private static void WriteSparse(string path, long count, int tensors)
    {
        var initializers = new List<(byte[] Head, long Length)>();
        long graphLength = 0;
        for (int i = 0; i < tensors; i++)
        {
            using var head = new MemoryStream();
            using var output = new CodedOutputStream(head);
            Floats($"w{i}", count).WriteTo(output);
            output.WriteTag(9, WireFormat.WireType.LengthDelimited);
            output.WriteUInt64((ulong)(count * 4));
            output.Flush();
            long length = head.Length + (count * 4);
            initializers.Add((head.ToArray(), length));
            graphLength += 1 + CodedOutputStream.ComputeUInt64Size((ulong)length) + length;
        }

        using var file = new FileStream(path, FileMode.Create);
        using var writer = new CodedOutputStream(file);
        writer.WriteTag(1, WireFormat.WireType.Varint);
        writer.WriteInt64(8);
        writer.WriteTag(7, WireFormat.WireType.LengthDelimited);
        writer.WriteUInt64((ulong)graphLength);
        foreach ((byte[] head, long length) in initializers)
        {
            writer.WriteTag(5, WireFormat.WireType.LengthDelimited);
            writer.WriteUInt64((ulong)length);
            writer.Flush();
            file.Write(head);
            file.Seek((count * 4) - 4, SeekOrigin.Current);
            file.Write(BitConverter.GetBytes(42f));
        }
    }
}
