"""Spark: `spark.py FOLDER`. Each Python worker opens the model once, since captioners of one file share it."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf
from pyspark.sql.types import StringType

import limn


@pandas_udf(StringType())
def caption(content):
    import pandas as pd
    results = limn.Captioner().caption_many(list(content), threads=1)
    return pd.Series([None if r.error else str(r.caption) for r in results])


if __name__ == "__main__":
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    files = spark.read.format("binaryFile").option("pathGlobFilter", "*.jpg").load(sys.argv[1])
    for row in files.select("path", caption("content").alias("caption")).collect():
        print(row["path"], row["caption"], sep="\t")
