# The fits of R's ensembleBMA that the tests of BMA for precipitation expect:
#
#   Rscript reference.R      (in this folder; ensembleBMA 5.1.8)
suppressPackageStartupMessages(library(ensembleBMA))
rain <- as.matrix(read.csv("rain.csv", header = FALSE))
show <- function(members, groups) {
  data <- ensembleData(forecasts = as.data.frame(members), observations = rain[, 3],
                       dates = format(as.Date(rain[, 1], origin = "1970-01-01"), "%Y%m%d"),
                       exchangeable = groups, forecastHour = 24, initializationTime = "00")
  fit <- fitBMAgamma0(data, control = controlBMAgamma0(tol = 1e-12))
  cat("prob0", signif(fit$prob0coefs[, 1], 7), "bias", signif(fit$biasCoefs[, 1], 7), "\n")
  cat("var", signif(fit$varCoefs, 7), "weights", signif(fit$weights, 5), "\n")
  cat("log-likelihood", signif(fit$loglikelihood / nrow(rain), 8), "iterations", fit$nIter, "\n")
  cat("P(Y <= 0, 1, 10)", signif(sapply(c(0, 1, 10), function(x) cdf(fit, data[7, ], values = x)), 7), "\n")
  cat("quantiles", signif(quantileForecast(fit, data[7, ], quantiles = c(0.5, 0.9)), 6), "\n")
  print(colMeans(crps(fit, data[1:200, ], seed = 1)))
  cat("Brier", "\n"); print(brierScore(fit, data, thresholds=c(0,1,10)))
}
show(rain[, 4:14], rep("gefs", 11))
show(rain[, 4:6], 1:3)
